use super::*;

const METADATA: &str = r#"{
  "packages": [
    {"id": "w", "name": "plexus-wire", "version": "0.1.0", "manifest_path": "/p/crates/wire/Cargo.toml",
     "metadata": {"plexus": {"layer": 1}},
     "dependencies": [{"name": "bytes", "kind": null}, {"name": "proptest", "kind": "dev"}],
     "targets": [{"kind": ["lib"], "src_path": "/p/crates/wire/src/lib.rs"}]},
    {"id": "k", "name": "plexus-testkit", "version": "0.1.0", "manifest_path": "/p/crates/testkit/Cargo.toml",
     "metadata": {"plexus": {"layer": "T"}}, "dependencies": [], "targets": []},
    {"id": "b", "name": "bytes", "version": "1.2.3", "license": "MIT",
     "source": "registry+r", "manifest_path": "/r/bytes/Cargo.toml",
     "metadata": null, "dependencies": [], "targets": []},
    {"id": "t", "name": "tokio", "version": "1.0.0", "manifest_path": "/r/tokio/Cargo.toml",
     "metadata": null, "dependencies": [], "targets": []}
  ],
  "workspace_members": ["w", "k"],
  "workspace_root": "/p",
  "target_directory": "/p/target",
  "resolve": {"nodes": [
    {"id": "w", "deps": [{"pkg": "b", "dep_kinds": [{"kind": null}]},
                         {"pkg": "k", "dep_kinds": [{"kind": "dev"}]}]},
    {"id": "b", "deps": [{"pkg": "t", "dep_kinds": [{"kind": null}]}]},
    {"id": "t", "deps": [{"pkg": "b", "dep_kinds": [{"kind": null}]}]}
  ]}
}"#;

#[test]
fn metadata_becomes_layers_and_closures() {
    let workspace = Workspace::parse(METADATA).unwrap();
    let wire = workspace.package("plexus-wire").unwrap();
    assert_eq!(wire.folder, "crates/wire");
    assert_eq!(wire.layer, Some(Layer::Program(1)));
    assert_eq!(wire.uses.iter().collect::<Vec<_>>(), ["bytes"]);
    assert_eq!(wire.closure.iter().collect::<Vec<_>>(), ["bytes", "tokio"]);
    assert_eq!(wire.targets, [("lib".to_owned(), "crates/wire/src/lib.rs".to_owned())]);
    assert_eq!(workspace.package("plexus-testkit").unwrap().layer, Some(Layer::Tests));
    assert_eq!(workspace.packages.len(), 2);
    let [bytes] = workspace.outside.as_slice() else { panic!("one crate has a source") };
    assert_eq!((bytes.version.as_str(), bytes.license.as_str()), ("1.2.3", "MIT"));
}

#[test]
fn a_file_belongs_to_the_crate_of_its_folder() {
    let workspace = Workspace::parse(METADATA).unwrap();
    assert_eq!(workspace.owner("crates/wire/src/lib.rs").unwrap().name, "plexus-wire");
    assert!(workspace.owner("crates/wired/src/lib.rs").is_none());
}
