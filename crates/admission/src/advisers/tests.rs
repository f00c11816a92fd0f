use std::sync::Arc;

use plexus_access::{Effect, Outcome, Rights};
use plexus_types::{Instant, ReasonCode};

use super::walk;
use crate::{
    Answer, OnTrouble, Step, StepOptions, Trouble,
    chain::tests::{credentials, run, says, silent, step},
};

fn asks(steps: &[Arc<Step>], otherwise: Effect) -> Result<Rights, ReasonCode> {
    match run(walk(steps, credentials(None, None), otherwise)) {
        Outcome::Allow(rights, _) => Ok(*rights),
        Outcome::Deny(reason) => Err(reason),
        Outcome::Continue(..) => panic!("nothing goes on"),
    }
}

#[test]
fn the_first_that_says_something_decides_and_else_the_configuration() {
    let (ignores, _) = says(|| Ok(Answer::Ignore));
    let (allows, allowed) = says(|| Ok(Answer::allow()));
    let (denies, denied) = says(|| Ok(Answer::Deny(ReasonCode::Banned)));
    let all = [ignores.clone(), allows.clone(), denies.clone()];
    assert_eq!(asks(&all, Effect::Deny), Ok(Rights::default()));
    assert_eq!((allowed.times(), denied.times()), (1, 0));
    assert_eq!(asks(&[denies, allows], Effect::Allow), Err(ReasonCode::NotAuthorized));
    assert_eq!(asks(std::slice::from_ref(&ignores), Effect::Deny), Err(ReasonCode::NotAuthorized));
    assert_eq!(asks(&[ignores], Effect::Allow), Ok(Rights::default()));
}

#[test]
fn an_answer_brings_no_more_than_its_end() {
    let (allows, _) = says(|| {
        let expires = Some(Instant::from_secs(7));
        let rights = Rights { is_superuser: true, expires, ..Rights::default() };
        Ok(Answer::Allow(Box::new(rights), None))
    });
    let rights = asks(&[allows], Effect::Deny).unwrap();
    assert_eq!(rights, Rights { expires: Some(Instant::from_secs(7)), ..Rights::default() });
}

#[test]
fn no_answer_refuses_unless_told_otherwise() {
    let (allows, _) = says(|| Ok(Answer::allow()));
    let broken = || Err(Trouble::Failed("gone".into()));
    let (strict, _) = says(broken);
    let refused = Err(ReasonCode::ServerUnavailable);
    assert_eq!(asks(&[strict, allows.clone()], Effect::Allow), refused);
    assert_eq!(asks(&[silent(StepOptions::BACK_END), allows.clone()], Effect::Allow), refused);
    let lenient = StepOptions { on_trouble: OnTrouble::Ignore, ..StepOptions::BACK_END };
    let (lenient, _) = step(lenient, move |_, _| broken());
    assert_eq!(asks(&[lenient, allows], Effect::Deny), Ok(Rights::default()));
}
