//! Which engine a test runs on: each of them, by one line in the file of the tests.

use crate::postgres;

/// A database engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// The embedded one.
    Sqlite,
    /// A server for several nodes.
    Postgres,
}

impl Engine {
    /// Whether it can be used here. If not, that has been said.
    ///
    /// # Panics
    /// When it cannot, and `HEADWATER_REQUIRE` names it.
    #[must_use]
    pub fn is_here(self) -> bool {
        match self {
            Self::Sqlite => true,
            Self::Postgres => postgres::shared().is_some(),
        }
    }
}

/// Makes tests of functions `async fn name(engine: Engine)`, or of plain ones after `plain:`: one on each engine. A function
/// that is not named is dead code, which does not pass for a test that was forgotten.
#[macro_export]
macro_rules! on_each_engine {
    (plain: $($test:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[test]
            fn $test() {
                super::$test($crate::Engine::Sqlite);
            })+
        }
        mod on_postgres {
            $(#[test]
            fn $test() {
                if $crate::Engine::Postgres.is_here() {
                    super::$test($crate::Engine::Postgres);
                }
            })+
        }
    };
    ($($test:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test]
            async fn $test() {
                super::$test($crate::Engine::Sqlite).await;
            })+
        }
        mod on_postgres {
            $(#[tokio::test]
            async fn $test() {
                if $crate::Engine::Postgres.is_here() {
                    super::$test($crate::Engine::Postgres).await;
                }
            })+
        }
    };
}
