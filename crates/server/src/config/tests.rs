//! Which source wins, and what each of them refuses.

use std::io::Write;

use clap::Parser;
use tempfile::NamedTempFile;

use super::*;
use crate::cli::{Cli, Verb};

/// Loads what a command line says over `variables` over the file with `toml`.
fn load_all(flags: &[&str], variables: &[(&str, &str)], toml: &str) -> Result<Config, Failure> {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(toml.as_bytes()).unwrap();
    let line = ["headwater", "serve"].iter().chain(flags);
    let Verb::Serve(arguments) = Cli::try_parse_from(line).unwrap().verb else { panic!("another verb") };
    let variables = variables.iter().map(|(name, value)| (name.into(), value.into()));
    load(arguments.settings, Some(file.path().to_owned()), variables)
}

fn directory(path: &str) -> Place {
    Place::Directory(path.into())
}

#[test]
fn defaults_are_those_of_the_design() {
    let config = load_all(&[], &[], "").unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:3030");
    assert_eq!(config.place, directory("headwater-data"));
    assert_eq!(config.change_log, Bounds::default());
    assert_eq!(config.log_level, LogLevel::Info);
    assert!(config.apps.is_empty() && config.admin_listen.is_none() && config.rate_limits.is_empty());
}

#[test]
fn a_flag_goes_before_a_variable_and_that_before_the_file() {
    let file = "listen = '127.0.0.1:1'";
    let variable = [("HEADWATER_LISTEN", "127.0.0.1:2")];
    let port = |flags, variables, file| load_all(flags, variables, file).unwrap().listen.port();
    assert_eq!(port(&[], &[], file), 1);
    assert_eq!(port(&[], &variable, file), 2);
    assert_eq!(port(&["--listen=127.0.0.1:3"], &variable, file), 3);
    assert_eq!(port(&[], &[("HEADWATER_LISTEN", "")], file), 1);
}

#[test]
fn where_the_data_is_comes_from_one_source() {
    let place = |flags, variables, file| load_all(flags, variables, file).unwrap().place;
    let variable = [("HEADWATER_DATA_DIR", "b")];
    assert_eq!(place(&[], &variable, "in-memory = true"), directory("b"));
    assert_eq!(place(&["--in-memory"], &variable, "data-dir = 'a'"), Place::Memory);
    assert_eq!(place(&["--in-memory=false"], &[], "in-memory = true"), directory("headwater-data"));
    assert_eq!(place(&[], &[("HEADWATER_IN_MEMORY", "true")], "data-dir = 'a'"), Place::Memory);
    const URL: &str = "postgres://headwater@localhost/headwater";
    let server = Place::Server(URL.parse().unwrap());
    assert_eq!(place(&["--database-url", URL], &variable, "in-memory = true"), server);
    assert_eq!(place(&[], &[("HEADWATER_DATABASE_URL", URL)], "data-dir = 'a'"), server);
    assert_eq!(place(&["--data-dir", "b"], &[("HEADWATER_DATABASE_URL", URL)], ""), directory("b"));
}

#[test]
fn every_setting_can_stand_in_a_file() {
    let toml = "
        listen = '0.0.0.0:80'
        data-dir = 'd'
        app = ['a:b', 'c:d']
        public-url = 'https://u/'
        admin-listen = '127.0.0.1:9'
        trusted-proxies = ['10.0.0.0/8', '::1']
        refused-tokens = 5
        request-timeout = 7
        body-bytes = '1MiB'
        change-log-age = '1d'
        change-log-bytes = 1048576
        log-format = 'json'
        log-level = 'debug'
        [rate-limit]
        QueryUsers = 10
        UpdateUsers = 20
    ";
    let config = load_all(&[], &[], toml).unwrap();
    let keys: Vec<&str> = config.apps.iter().map(|app| app.api_key.as_str()).collect();
    assert_eq!(keys, ["a", "c"]);
    assert_eq!(config.public_url.as_deref(), Some("https://u"));
    assert_eq!(config.trusted_proxies.len(), 2);
    let limits = [("QueryUsers".to_owned(), 10), ("UpdateUsers".to_owned(), 20)];
    assert_eq!(config.rate_limits, BTreeMap::from(limits));
    assert_eq!(config.refused_tokens, Some(5));
    assert_eq!(config.request_timeout, Some(Duration::from_secs(7)));
    assert_eq!(config.body_bytes, Some(1 << 20));
    assert_eq!(config.change_log, Bounds { age: Duration::from_hours(24), bytes: 1 << 20 });
    assert_eq!((config.log_format, config.log_level), (LogFormat::Json, LogLevel::Debug));
}

#[test]
fn a_list_is_taken_whole_from_the_first_source_that_has_it() {
    let keys = |flags, variables| {
        let config = load_all(flags, variables, "app = 'a:b'").unwrap();
        config.apps.into_iter().map(|app| app.api_key).collect::<String>()
    };
    assert_eq!(keys(&[], &[]), "a");
    assert_eq!(keys(&[], &[("HEADWATER_APP", "c:d e:f,g")]), "ce");
    assert_eq!(keys(&["--app=x:y", "--app=z:y"], &[("HEADWATER_APP", "c:d e:f,g")]), "xz");
}

#[test]
fn secrets_come_from_a_file_too() {
    let mut file = NamedTempFile::new().unwrap();
    write!(file, "# ours\n\n one:secret \ntwo:se:cret\n").unwrap();
    let path = file.path().to_str().unwrap().to_owned();
    let path = path.as_str();
    let config = load_all(&["--app", "zero:s", "--app-file", path], &[], "").unwrap();
    let apps: Vec<_> = config.apps.iter().map(|app| (app.api_key.as_str(), app.secret.reveal())).collect();
    assert_eq!(apps, [("zero", "s"), ("one", "secret"), ("two", "se:cret")]);
    write!(file, "nocolon").unwrap();
    let failure = load_all(&["--app-file", path], &[], "").unwrap_err();
    assert_eq!(failure.error(), format!("{path} line 5: an app is written KEY:SECRET"));
}

/// Asserts what is said of a bad source; the file is called FILE.
#[track_caller]
fn check(flags: &[&str], variables: &[(&str, &str)], toml: &str, error: &str, hint: &str) {
    let failure = load_all(flags, variables, toml).unwrap_err();
    let words: Vec<String> = failure
        .error()
        .split(' ')
        .map(|word| match word.strip_suffix(':').unwrap_or(word) {
            path if path.starts_with('/') => word.replace(path, "FILE"),
            _ => word.to_owned(),
        })
        .collect();
    assert_eq!((words.join(" ").as_str(), failure.hint()), (error, hint));
}

const HELP: &str = "`headwater serve --help` lists what can be set";

#[test]
fn what_nobody_knows_is_refused() {
    check(&[], &[], "listne = 'x'", "FILE: the key listne is not known", "did you mean listen?");
    check(&[], &[], "data_dir = 'x'", "FILE: the key data_dir is not known", "did you mean data-dir?");
    check(&[], &[], "config = 'x'", "FILE: the key config is not known", HELP);
    check(&[], &[], "[server]\nlisten = 'x'", "FILE: the key server is not known", HELP);
    let unknown = "the environment variable HEADWATER_DATADIR is not known";
    check(&[], &[("HEADWATER_DATADIR", "x")], "", unknown, "did you mean HEADWATER_DATA_DIR?");
    let unknown = "the environment variable HEADWATER_CONFG is not known";
    check(&[], &[("HEADWATER_CONFG", "x")], "", unknown, "did you mean HEADWATER_CONFIG?");
    let unknown = "the environment variable HEADWATER_ZEBRA is not known";
    check(&[], &[("HEADWATER_ZEBRA", "")], "", unknown, HELP);
}

#[test]
fn variables_of_tests_and_of_others_are_left_alone() {
    let others = [("HEADWATER_REQUIRE", "go"), ("HEADWATER_LONG", "1"), ("PATH", "x"), ("HEADWATERS", "x")];
    assert!(load_all(&[], &others, "").is_ok());
}

#[test]
fn values_that_do_not_fit_are_refused_without_being_quoted() {
    let address = "must be an IP address and a port, such as 127.0.0.1:3030 or [::1]:3030";
    check(&[], &[("HEADWATER_LISTEN", "x")], "", &format!("HEADWATER_LISTEN: {address}"), HELP);
    check(&[], &[], "listen = 3030", &format!("FILE: listen: {address}"), HELP);
    let twice = "FILE: listen: must be given once";
    check(&[], &[], "listen = ['127.0.0.1:1', '127.0.0.1:2']", twice, HELP);
    let both = "HEADWATER_DATA_DIR cannot be set together with HEADWATER_IN_MEMORY";
    let variables = [("HEADWATER_DATA_DIR", "a"), ("HEADWATER_IN_MEMORY", "true")];
    check(&[], &variables, "", both, HELP);
    let format = "FILE: log-format: must be one of json, text";
    check(&[], &[], "log-format = 'xml'", format, HELP);
    let boolean = "HEADWATER_IN_MEMORY: must be one of true, false";
    check(&[], &[("HEADWATER_IN_MEMORY", "maybe")], "", boolean, HELP);
    let app = "the setting `app`: an app is written KEY:SECRET";
    let form = "KEY has letters, digits, '_' and '-'; SECRET has visible ASCII characters";
    check(&[], &[("HEADWATER_APP", "secret")], "", app, form);
    let limit = "HEADWATER_RATE_LIMIT: there is no such operation, did you mean QueryUsers?";
    check(&[], &[("HEADWATER_RATE_LIMIT", "QueryUser=1")], "", limit, HELP);
    let refused = "HEADWATER_REFUSED_TOKENS: must be a whole number from 0 to 4294967295";
    check(&[], &[("HEADWATER_REFUSED_TOKENS", "x")], "", refused, HELP);
}

#[test]
fn a_file_that_is_no_toml_is_refused_with_its_line() {
    let failure = load_all(&[], &[], "listen = '127.0.0.1:1'\nbody-bytes 5\n").unwrap_err();
    assert!(failure.error().contains(" line 2: "), "{}", failure.error());
    let failure = load(Settings::default(), Some("/nowhere/x.toml".into()), std::iter::empty()).unwrap_err();
    let missing = "cannot read /nowhere/x.toml: No such file or directory (os error 2)";
    assert_eq!(failure.error(), missing);
}
