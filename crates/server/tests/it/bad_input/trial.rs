//! One route on trial: a server of its own, and what is checked with each request.

use std::cell::{Cell, Ref, RefCell};
use std::collections::BTreeMap;

use headwater_http::{RouteInfo, routes};

use super::message::{Ending, Message};
use super::mutation::{Mutated, Mutation};
use super::samples::{Sample, sample};
use super::stage::Stage;
use super::verdict::{Outcome, judge};

/// After so many mutations the valid request has to be accepted again, and all rows are compared.
const ROUND: u32 = 250;

/// A route, its sample, and a server on which mutations of it are tried.
#[derive(Debug)]
pub(super) struct Trial {
    route: RouteInfo,
    sample: RefCell<Sample>,
    stage: RefCell<Stage>,
    tried: Cell<u32>,
    /// How many mutations this server has accepted.
    accepted: Cell<u32>,
    outcomes: RefCell<BTreeMap<Outcome, u32>>,
}

impl Trial {
    /// Starts a server and brings it into the state for the sample of `route`.
    ///
    /// # Errors
    /// When the route has no sample, or one that is not accepted.
    pub(super) fn start(route: &RouteInfo) -> Result<Self, String> {
        let sample = sample(route.operation).ok_or("needs a valid request in samples.rs")?;
        let trial = Self {
            route: route.clone(),
            sample: RefCell::new(sample),
            stage: RefCell::new(Stage::start()?),
            tried: Cell::new(0),
            accepted: Cell::new(0),
            outcomes: RefCell::default(),
        };
        trial.prepare()?;
        trial.must_accept()?;
        Ok(trial)
    }

    pub(super) fn sample(&self) -> Ref<'_, Sample> {
        self.sample.borrow()
    }

    /// Sends one mutated request and checks everything about its answer.
    ///
    /// # Errors
    /// What is wrong with it, and what the server said last.
    pub(super) fn check(&self, mutation: &Mutation) -> Result<(), String> {
        self.try_one(mutation).map_err(|wrong| {
            let log = self.stage.borrow().end_of_log();
            // What comes next, to find a simpler mutation, must meet a server that is sound.
            let again = self.start_again().err();
            let again = again.map_or_else(String::new, |wrong| format!("\nno other server: {wrong}"));
            format!("{wrong}\nlog: {log}{again}")
        })
    }

    fn start_again(&self) -> Result<(), String> {
        self.stage.replace(Stage::start()?);
        self.accepted.set(0);
        self.prepare()
    }

    fn try_one(&self, mutation: &Mutation) -> Result<(), String> {
        self.tried.set(self.tried.get() + 1);
        if self.tried.get().is_multiple_of(ROUND) {
            self.must_accept()?;
            self.stage.borrow().compare_all()?;
        }
        let mutated = mutation.apply(&self.route, &self.sample());
        let outcome = self.outcome(&mutated)?;
        *self.outcomes.borrow_mut().entry(outcome).or_default() += 1;
        self.accepted.set(self.accepted.get() + u32::from(outcome == Outcome::Accepted));
        if self.sample().room.is_some_and(|room| self.accepted.get() > room) {
            self.stage.borrow().check_memory()?;
            self.start_again()?;
        }
        Ok(())
    }

    fn outcome(&self, mutated: &Mutated) -> Result<Outcome, String> {
        let answer = self.stage.borrow_mut().send(&mutated.sent)?;
        let outcome =
            judge(mutated, &answer, self.route.operation).map_err(|wrong| format!("{wrong}\n{answer}"))?;
        if self.stage.borrow().is_as_noted()? {
            return Ok(outcome);
        }
        // Bytes that end nowhere may be a valid request all the same, whose client is gone when it is answered.
        let may_have_run = outcome == Outcome::Dropped && mutated.sent.ending == Ending::Unclear;
        if outcome != Outcome::Accepted && !may_have_run {
            self.stage.borrow().compare_all().map_err(|wrong| format!("refused, yet {wrong}\n{answer}"))?;
        }
        self.prepare().map(|()| outcome).map_err(|wrong| format!("after this, {wrong}"))
    }

    /// Brings the server into the state for the sample, and takes note of what is in the database.
    fn prepare(&self) -> Result<(), String> {
        let before = self.sample().before;
        for operation in before {
            let route = routes().find(|route| route.operation == *operation).ok_or("a route is gone")?;
            let sample = sample(operation).ok_or("a sample is gone")?;
            let answer = self.stage.borrow_mut().send(&Message::new(&route, &sample).whole())?;
            if answer.status().is_none_or(|status| status >= 500) {
                return Err(format!("the valid {operation} meets\n{answer}"));
            }
            if let Some(task) = answer.task() {
                self.sample.borrow_mut().task = task;
            }
        }
        self.stage.borrow_mut().take_note()
    }

    /// Sends the request without a mutation.
    fn must_accept(&self) -> Result<(), String> {
        let answer = self.stage.borrow_mut().send(&Message::new(&self.route, &self.sample()).whole())?;
        if !matches!(answer.status(), Some(200 | 201)) {
            return Err(format!("the valid request is not accepted (any more)\n{answer}"));
        }
        let must_change = self.route.method != "GET" && !self.sample().may_change_nothing;
        if must_change && self.stage.borrow().is_as_noted()? {
            return Err("the valid request has changed nothing that could be seen".to_owned());
        }
        self.prepare()
    }

    /// Checks what can be told in the end only, and says what has become of the requests.
    pub(super) fn end(&self) -> Result<String, String> {
        self.must_accept()?;
        let stage = self.stage.borrow();
        stage.compare_all()?;
        let memory = stage.check_memory()?;
        Ok(format!("{:?}, memory {memory}", self.outcomes.borrow()))
    }

    /// The request that `mutation` makes, for a person to read.
    pub(super) fn shown(&self, mutation: &Mutation) -> String {
        mutation.apply(&self.route, &self.sample()).sent.to_string()
    }
}
