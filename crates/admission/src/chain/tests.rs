use std::{
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc::sync_channel,
    },
    time::Duration,
};

use bytes::Bytes;
use plexus_access::{
    Credentials, Effect, Enhanced, Exchange, Outcome, Reply, Rights, Rules, Verdict,
};
use plexus_runtime::Runtime;
use plexus_stdx::Seed;
use plexus_types::{ClientId, Instant, ReasonCode, TenantName, Text};
use serde_json::json;

use super::{Chain, Strangers};
use crate::{
    Answer, Asking, Authenticator, Derived, OnTrouble, Step, StepOptions, Trouble, rules_of,
};

type Script = Box<dyn Fn(usize, &mut Credentials) -> Result<Answer, Trouble> + Send + Sync>;

/// Says what a test wants, at once or never, and counts how often it was asked.
struct Scripted {
    script: Script,
    asked: Arc<AtomicUsize>,
    never: bool,
}

impl std::fmt::Debug for Scripted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scripted")
    }
}

impl Authenticator for Scripted {
    fn concerns(&self, _: &Credentials) -> bool {
        true
    }

    fn may_have_rules(&self, _: &Credentials) -> bool {
        true
    }

    fn rules<'a>(&'a self, credentials: &'a mut Credentials) -> Asking<'a> {
        self.ask(credentials)
    }

    fn ask<'a>(&'a self, credentials: &'a mut Credentials) -> Asking<'a> {
        let number = self.asked.fetch_add(1, SeqCst);
        Box::pin(async move {
            if self.never {
                std::future::pending::<()>().await;
            }
            (self.script)(number, credentials)
        })
    }
}

pub(crate) struct Asked(Arc<AtomicUsize>);

impl Asked {
    pub(crate) fn times(&self) -> usize {
        self.0.load(SeqCst)
    }
}

pub(crate) fn step(
    options: StepOptions,
    script: impl Fn(usize, &mut Credentials) -> Result<Answer, Trouble> + Send + Sync + 'static,
) -> (Arc<Step>, Asked) {
    let asked = Arc::new(AtomicUsize::new(0));
    let scripted = Scripted { script: Box::new(script), asked: Arc::clone(&asked), never: false };
    let step = Step::new("scripted", Arc::new(scripted), options, &[1; 32], Seed::new(1));
    (Arc::new(step), Asked(asked))
}

pub(crate) fn says(answer: fn() -> Result<Answer, Trouble>) -> (Arc<Step>, Asked) {
    step(StepOptions::BACK_END, move |_, _| answer())
}

pub(crate) fn silent(options: StepOptions) -> Arc<Step> {
    let script: Script = Box::new(|_, _| Ok(Answer::Ignore));
    let scripted = Scripted { script, asked: Arc::default(), never: true };
    Arc::new(Step::new("silent", Arc::new(scripted), options, &[1; 32], Seed::new(1)))
}

pub(crate) fn credentials(
    user: Option<&'static str>,
    password: Option<&'static str>,
) -> Credentials {
    Credentials {
        client_id: ClientId::try_from("c").unwrap(),
        user_name: user.map(Text::from_static),
        password: password.map(|text| Bytes::from_static(text.as_bytes())),
        peer: None,
        listener: Arc::from("tcp"),
        tenant: None,
        certificate: None,
        enhanced: None,
        wanted: None,
        gate: plexus_access::Gate::default(),
    }
}

async fn walk(steps: &[Arc<Step>], shown: Credentials, strangers: Strangers) -> Outcome {
    super::walk(steps, shown, (strangers, &Derived::default())).await.0
}

/// Runs it in a time of its own, which passes at once.
pub(crate) fn run<T>(task: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time().start_paused(true).build().unwrap().block_on(task)
}

fn asks(steps: &[Arc<Step>]) -> Result<Rights, ReasonCode> {
    match run(walk(steps, credentials(Some("ann"), Some("s3")), Strangers::Refuse)) {
        Outcome::Allow(rights, _) => Ok(*rights),
        Outcome::Deny(reason) => Err(reason),
        Outcome::Continue(..) => panic!("nothing goes on"),
    }
}

#[test]
fn the_first_that_knows_decides() {
    let (ignores, _) = says(|| Ok(Answer::Ignore));
    let (allows, allowed) = says(|| Ok(Answer::allow()));
    let (denies, denied) = says(|| Ok(Answer::Deny(ReasonCode::Banned)));
    assert_eq!(asks(&[ignores.clone(), allows.clone(), denies.clone()]), Ok(Rights::default()));
    assert_eq!((allowed.times(), denied.times()), (1, 0));
    assert_eq!(asks(&[denies, allows]), Err(ReasonCode::Banned));
    assert_eq!(allowed.times(), 1);
    assert_eq!(asks(&[ignores]), Err(ReasonCode::BadUserNameOrPassword));
    assert_eq!(asks(&[]), Err(ReasonCode::BadUserNameOrPassword));
}

#[test]
fn no_answer_refuses_unless_told_otherwise() {
    let (allows, _) = says(|| Ok(Answer::allow()));
    let broken = || Err(Trouble::Failed("gone".into()));
    let (strict, _) = says(broken);
    assert_eq!(asks(&[strict, allows.clone()]), Err(ReasonCode::ServerUnavailable));
    let lenient = StepOptions { on_trouble: OnTrouble::Ignore, ..StepOptions::BACK_END };
    let (lenient, _) = step(lenient, move |_, _| broken());
    assert_eq!(asks(&[lenient.clone(), allows]), Ok(Rights::default()));
    assert_eq!(asks(&[lenient]), Err(ReasonCode::BadUserNameOrPassword), "nobody vouched");
}

#[test]
fn whoever_never_answers_is_waited_for_no_longer_than_said() {
    assert_eq!(asks(&[silent(StepOptions::BACK_END)]), Err(ReasonCode::ServerUnavailable));
}

#[test]
fn too_many_at_once_are_told_that_the_server_is_busy() {
    let options = StepOptions { at_once_max: 1, waiting_max: 1, ..StepOptions::BACK_END };
    let steps = [silent(options)];
    let ask = || walk(&steps, credentials(Some("ann"), Some("s3")), Strangers::Refuse);
    let (one, two, three) = run(async { tokio::join!(ask(), ask(), ask()) });
    let reason = |outcome: Outcome| match outcome {
        Outcome::Deny(reason) => reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(reason(three), ReasonCode::ServerBusy);
    assert_eq!(reason(one), ReasonCode::ServerUnavailable);
    assert_eq!(reason(two), ReasonCode::ServerBusy, "its turn did not come");
}

#[test]
fn one_that_is_down_is_left_alone() {
    let (dead, asked) = says(|| Err(Trouble::Failed("gone".into())));
    for _ in 0..20 {
        assert_eq!(asks(std::slice::from_ref(&dead)), Err(ReasonCode::ServerUnavailable));
    }
    assert_eq!(asked.times(), 5);
}

#[test]
fn answers_are_remembered_when_that_is_asked_for() {
    let options = StepOptions { remember: Some(Duration::from_hours(1)), ..StepOptions::BACK_END };
    let (step, asked) = step(options, |_, shown| {
        let right = shown.password.as_deref() == Some(b"s3");
        Ok(if right { Answer::allow() } else { Answer::Deny(ReasonCode::NotAuthorized) })
    });
    let steps = [step];
    let ask = |password| {
        let outcome =
            run(walk(&steps, credentials(Some("ann"), Some(password)), Strangers::Refuse));
        matches!(outcome, Outcome::Allow(..))
    };
    assert!(ask("s3") && ask("s3") && !ask("other") && !ask("other") && ask("s3"));
    assert_eq!(asked.times(), 2);
}

#[test]
fn what_has_expired_when_it_is_shown_lets_nobody_in() {
    let past = || {
        let rights = Rights { expires: Some(Instant::from_secs(1)), ..Rights::default() };
        Ok(Answer::Allow(Box::new(rights), None))
    };
    assert_eq!(asks(&[says(past).0]), Err(ReasonCode::NotAuthorized));
}

#[test]
fn an_exchange_goes_on_with_the_one_that_began_it() {
    let (other, others) = says(|| Ok(Answer::Ignore));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&seen);
    let (talks, _) = step(StepOptions::OWN, move |number, credentials| {
        let enhanced = credentials.enhanced.as_mut().unwrap();
        notes.lock().unwrap().push(enhanced.exchange.take().and_then(Exchange::take::<u32>));
        Ok(match number {
            0 => Answer::Continue(Bytes::from_static(b"go on"), Exchange::new(77_u32)),
            _ => Answer::Allow(Box::default(), Some(Bytes::from_static(b"done"))),
        })
    });
    let steps = [other, talks];
    let shown = |exchange| {
        let method = Text::from_static("M");
        let enhanced = Some(Enhanced { method, data: Bytes::new(), exchange });
        Credentials { enhanced, ..credentials(None, None) }
    };
    let Outcome::Continue(_, exchange) = run(walk(&steps, shown(None), Strangers::Refuse)) else {
        panic!()
    };
    let Outcome::Allow(_, data) = run(walk(&steps, shown(Some(exchange)), Strangers::Refuse))
    else {
        panic!()
    };
    assert_eq!(data.as_deref(), Some(&b"done"[..]));
    assert_eq!(*seen.lock().unwrap(), [None, Some(77)]);
    assert_eq!(others.times(), 1, "only at the beginning");
    let outcome = run(walk(&steps[..1], shown(None), Strangers::Refuse));
    assert!(matches!(outcome, Outcome::Deny(ReasonCode::BadAuthenticationMethod)));
}

#[test]
fn strangers_are_those_who_show_nothing_at_all() {
    let runtime = Runtime::start(1).unwrap();
    let chain = |strangers| {
        let steps = vec![says(|| Ok(Answer::Ignore)).0];
        Chain::new(steps, strangers, runtime.handle())
    };
    let (strict, open) = (chain(Strangers::Refuse), chain(Strangers::Admit));
    assert_eq!(open.at_once(&credentials(None, None)), Verdict::Allow);
    assert_eq!(strict.at_once(&credentials(None, None)), Verdict::Later, "perhaps by its address");
    // Whoever shows something has to be known by it, also where strangers come in.
    for shown in [credentials(Some("ann"), None), credentials(None, Some("token"))] {
        assert_eq!(open.at_once(&shown), Verdict::Later);
        let (sender, outcome) = sync_channel(1);
        open.ask(shown, Reply::new(move |outcome| sender.send(outcome).unwrap()));
        let outcome = outcome.recv().unwrap();
        assert!(matches!(outcome, Outcome::Deny(ReasonCode::BadUserNameOrPassword)));
    }
    // A certificate may be somebody's; if it is not, its owner is a stranger like others.
    let owner = || {
        let certificate = Some(Arc::new(plexus_access::Certificate::default()));
        Credentials { certificate, ..credentials(None, None) }
    };
    for (chain, let_in) in [(&open, true), (&strict, false)] {
        assert_eq!(chain.at_once(&owner()), Verdict::Later);
        let (sender, outcome) = sync_channel(1);
        chain.ask(owner(), Reply::new(move |outcome| sender.send(outcome).unwrap()));
        assert_eq!(matches!(outcome.recv().unwrap(), Outcome::Allow(..)), let_in);
    }
    let nobody = Chain::new(Vec::new(), Strangers::Refuse, runtime.handle());
    let at_once = nobody.at_once(&credentials(None, None));
    assert_eq!(at_once, Verdict::Deny(ReasonCode::NotAuthorized));
}

/// Rules of one topic each, by their topics.
fn rules(topics: &[&str]) -> Rules {
    rules_of(&json!({ "pub": topics })).unwrap()
}

fn brings(rules: fn() -> Rules) -> (Arc<Step>, Asked) {
    step(StepOptions::BACK_END, move |_, _| Ok(Answer::of_rules(rules())))
}

/// What comes of Ann with these authenticators and sources.
fn draws(
    steps: &[Arc<Step>],
    sources: &[Arc<Step>],
    shown: Credentials,
) -> Result<Rights, ReasonCode> {
    let runtime = Runtime::start(1).unwrap();
    let chain = Chain::new(steps.to_vec(), Strangers::Admit, runtime.handle());
    let chain = chain.with_rules_from(sources.to_vec());
    assert!(chain.gives_rights() && chain.at_once(&shown) == Verdict::Later);
    match run(chain.admit(shown)) {
        Outcome::Allow(rights, _) => Ok(*rights),
        Outcome::Deny(reason) => Err(reason),
        Outcome::Continue(..) => panic!("nothing goes on"),
    }
}

fn ann() -> Credentials {
    credentials(Some("ann"), Some("s3"))
}

#[test]
fn rules_of_sources_follow_those_that_a_client_has_brought_in_their_order() {
    let (allows, _) = says(|| Ok(Answer::allow()));
    let (knows, known) = brings(|| rules(&["own"]));
    let (first, _) = brings(|| rules(&["first"]));
    let (second, _) = brings(|| rules(&["second"]));
    let (nothing, _) = says(|| Ok(Answer::Ignore));
    let drawn = |steps: &[Arc<Step>], sources: &[Arc<Step>]| {
        draws(steps, sources, ann()).unwrap().rules.unwrap()
    };
    let wanted = rules(&["first"]).followed_by(&rules(&["second"]));
    let none = Rules::new(Vec::new(), Effect::Deny);
    let both = [first.clone(), nothing.clone(), second];
    assert_eq!(drawn(std::slice::from_ref(&allows), &both), none.followed_by(&wanted));
    assert_eq!(drawn(std::slice::from_ref(&knows), &both), rules(&["own"]).followed_by(&wanted));
    // Whom nobody knows any rules of has none, which is not to say that everything is allowed.
    assert_eq!(drawn(&[allows], &[nothing]), none);
    let before = known.times();
    let own = drawn(std::slice::from_ref(&knows), &[knows.clone(), first]);
    assert_eq!(own, rules(&["own"]).followed_by(&rules(&["first"])));
    assert_eq!(known.times(), before + 1, "it has said its rules when it let her in");
}

#[test]
fn sources_are_asked_by_the_proved_name_and_without_the_password() {
    let token = || {
        let user_name = Some(Text::from_static("fleet-2"));
        Ok(Answer::Allow(Box::new(Rights { user_name, ..Rights::default() }), None))
    };
    let (source, asked) = step(StepOptions::BACK_END, |_, shown| {
        assert_eq!(shown.user_name.as_deref(), Some("fleet-2"));
        assert!(shown.password.is_none() && shown.enhanced.is_none());
        Ok(Answer::Ignore)
    });
    assert!(draws(&[says(token).0], &[source], ann()).is_ok());
    assert_eq!(asked.times(), 1);
    let stranger = step(StepOptions::BACK_END, |_, _| panic!("nobody is asked who it is")).0;
    let (source, asked) = brings(|| rules(&["open"]));
    let rights = draws(&[stranger], &[source], credentials(None, None)).unwrap();
    assert_eq!((rights.rules.is_some(), asked.times()), (true, 1), "strangers have rules, too");
}

#[test]
fn sources_are_asked_about_the_client_of_the_tenant_that_was_found_out() {
    let token = || {
        let tenant = TenantName::try_from("acme").ok();
        Ok(Answer::Allow(Box::new(Rights { tenant, ..Rights::default() }), None))
    };
    let (source, asked) = step(StepOptions::BACK_END, |_, shown| {
        assert_eq!(shown.tenant.as_ref().map(TenantName::as_str), Some("acme"));
        Ok(Answer::Ignore)
    });
    assert!(draws(&[says(token).0], &[source], ann()).is_ok());
    assert_eq!(asked.times(), 1);
}

#[test]
fn a_source_without_an_answer_refuses_unless_told_otherwise() {
    let (allows, _) = says(|| Ok(Answer::allow()));
    let with = |source: Arc<Step>| draws(std::slice::from_ref(&allows), &[source], ann());
    let broken = || Err(Trouble::Failed("gone".into()));
    assert_eq!(with(says(broken).0), Err(ReasonCode::ServerUnavailable));
    assert_eq!(with(silent(StepOptions::BACK_END)), Err(ReasonCode::ServerUnavailable));
    let lenient = StepOptions { on_trouble: OnTrouble::Ignore, ..StepOptions::BACK_END };
    let rules = with(step(lenient, move |_, _| broken()).0).unwrap().rules;
    assert_eq!(rules, Some(Rules::new(Vec::new(), Effect::Deny)));
    // What makes no sense may have been a ban.
    let odd = step(lenient, |_, _| Err(Trouble::Nonsense("odd".into()))).0;
    assert_eq!(with(odd), Err(ReasonCode::ServerUnavailable));
    let denies = says(|| Ok(Answer::Deny(ReasonCode::NotAuthorized))).0;
    assert_eq!(with(denies), Err(ReasonCode::NotAuthorized));
    let superuser =
        || Ok(Answer::Allow(Box::new(Rights { is_superuser: true, ..Rights::default() }), None));
    let rights = draws(&[says(superuser).0], &[says(broken).0], ann()).unwrap();
    assert!(rights.is_superuser && rights.rules.is_none(), "no rule holds for it");
}

#[test]
fn remembered_rules_let_nobody_in() {
    let options = StepOptions { remember: Some(Duration::from_hours(1)), ..StepOptions::BACK_END };
    let (source, asked) = step(options, |number, _| {
        Ok(if number == 0 { Answer::of_rules(rules(&["own"])) } else { Answer::Ignore })
    });
    let shown = || credentials(Some("ann"), None);
    let (allows, _) = says(|| Ok(Answer::allow()));
    for _ in 0..3 {
        let rights = draws(std::slice::from_ref(&allows), std::slice::from_ref(&source), shown());
        let drawn = Rules::new(Vec::new(), Effect::Deny).followed_by(&rules(&["own"]));
        assert_eq!(rights.unwrap().rules, Some(drawn));
    }
    assert_eq!(asked.times(), 1);
    let outcome = run(walk(&[source], shown(), Strangers::Refuse));
    assert!(matches!(outcome, Outcome::Deny(_)), "{outcome:?}");
}

#[test]
fn who_is_not_meant_by_a_condition_is_asked_about_by_the_next() {
    let (denies, denied) = step(StepOptions::BACK_END, |_, _| Ok(Answer::Deny(ReasonCode::Banned)));
    let denies =
        Arc::into_inner(denies).unwrap().when(Some("client_id == 'other'".parse().unwrap()));
    let (allows, _) = says(|| Ok(Answer::allow()));
    let allows = Arc::into_inner(allows).unwrap().when(Some("user_name == 'ann'".parse().unwrap()));
    let steps = [Arc::new(denies), Arc::new(allows)];
    assert_eq!(asks(&steps), Ok(Rights::default()));
    assert_eq!(denied.times(), 0);
}

#[test]
fn what_is_made_of_a_client_is_made_of_strangers_too() {
    let runtime = Runtime::start(1).unwrap();
    let attributes = vec![("place".to_owned(), "listener + '/' + client_id".parse().unwrap())];
    let derived = Derived { attributes, user_name: None };
    let chain = Chain::new(Vec::new(), Strangers::Admit, runtime.handle()).with(Arc::new(derived));
    assert!(chain.gives_rights());
    let stranger = || credentials(None, None);
    assert_eq!(chain.at_once(&stranger()), Verdict::Later);
    let (tells, told) = sync_channel(1);
    chain.ask(stranger(), Reply::new(move |outcome| drop(tells.send(outcome))));
    let Outcome::Allow(rights, None) = told.recv().unwrap() else { panic!("let in") };
    assert_eq!(rights.attributes.get("place"), Some("tcp/c"));
}
