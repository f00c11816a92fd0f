use crate::program::Place;

#[test]
fn a_directory_without_a_store_is_told() {
    let place = Place::new();
    let said = place.run(["store", "stat", "--data-dir", "none"]).failed(1);
    assert_eq!(said, "error: nothing is stored in none: it has no folder `log`\n");
}

#[test]
fn damage_is_named_with_its_place_and_its_mend() {
    let place = Place::new();
    std::fs::create_dir_all(place.path().join("data/log")).unwrap();
    std::fs::write(place.path().join("data/log/0000000000000001.seg"), vec![7; 4_096]).unwrap();
    let output = place.plexus(["store", "check", "--data-dir", "data"]).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stdout);
    assert!(said.contains("0000000000000001.seg at byte 0, 512 bytes"), "{said}");
    assert_eq!(
        text(&output.stderr),
        "error: 1 places cannot be read; `plexus store repair --data-dir data` lets a node start \
         again\n"
    );
}
