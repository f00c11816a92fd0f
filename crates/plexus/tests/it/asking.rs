//! Services that are asked about acts.

use plexus_testkit::{HttpService, Manner};

use crate::{
    client::Client,
    program::{Node, Place, run},
};

const NO_SUBSCRIBERS: u8 = 0x10;
const UNSPECIFIED: u8 = 0x80;
const NOT_AUTHORIZED: u8 = 0x87;
const GRANTED: u8 = 1;

fn file(service: &HttpService) -> String {
    format!(
        "[access]\nallow_anonymous = true\n\
         [[access.ask]]\nname = \"web\"\nurl = \"{}/may\"\n\
         [[access.rule]]\nallow = [\"publish\"]\ntopics = [\"free/#\"]\n\
         [[access.rule]]\ndeny = [\"publish\"]\ntopics = [\"secret/#\"]\n\
         [[listener]]\nurl = \"tcp://127.0.0.1:0\"\n",
        service.url()
    )
}

#[test]
fn a_service_is_asked_where_no_rule_says_anything_and_its_answer_is_remembered() {
    let service = HttpService::start(Manner::answer("200 OK", r#"{"result":"allow"}"#));
    let place = Place::new();
    place.write("plexus.toml", &file(&service));
    let node = Node::start(&place, &[]);
    let mut client = Client::connect(&node, "r1");
    assert_eq!(client.publish("free/a"), NO_SUBSCRIBERS);
    assert_eq!(client.publish("secret/a"), NOT_AUTHORIZED);
    assert_eq!(client.subscribe("x/+"), GRANTED);
    let asked =
        r#"{"clientid":"r1","topic":"x/+","action":"subscribe","qos":"1","retain":"false"}"#;
    assert_eq!(service.heard(1)[0].body, asked);
    assert_eq!(client.publish("a/b"), NO_SUBSCRIBERS);
    service.set(Manner::answer("200 OK", r#"{"result":"deny"}"#));
    assert_eq!(client.publish("a/b"), NO_SUBSCRIBERS, "it is remembered");
    assert_eq!(client.publish("b"), NOT_AUTHORIZED);
    assert_eq!(client.subscribe("b"), NOT_AUTHORIZED);
    service.set(Manner::answer("200 OK", r#"{"result":"ignore"}"#));
    assert_eq!(client.publish("c"), NOT_AUTHORIZED, "access.no_match");
    let dead = service.kill();
    assert_eq!(client.publish("d"), UNSPECIFIED, "no answer is no allowance");
    assert_eq!(client.publish("a/b"), NO_SUBSCRIBERS);
    let service = dead.again(Manner::answer("204 No Content", ""));
    assert_eq!(client.publish("d"), NO_SUBSCRIBERS, "nothing was remembered of its silence");
    let heard = service.heard(1);
    assert!(heard.iter().any(|heard| heard.body.contains("\"topic\":\"d\"")), "{heard:?}");
    let ended = node.stop();
    assert!(ended.stderr.contains("\"rule\":\"access.ask\""), "{ended:?}");
    place.write("plexus.toml", &file(&service));
    let args = ["acl", "test", "publish", "a/b", "--client", "r1"];
    let told = run(&mut place.plexus(args), b"");
    let asked = "asked elsewhere: no rule says anything, so `web` will (access.ask)\n";
    assert_eq!((told.code, &*told.stdout), (Some(1), asked));
}
