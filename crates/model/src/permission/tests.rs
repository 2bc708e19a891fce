//! Who may do what, as cases.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::{AppKey, AppSettings, Cid, Secret, Timestamp};

fn app(kept: Value) -> App {
    let Value::Object(kept) = kept else { panic!("settings are an object") };
    App {
        key: AppKey(1),
        api_key: "key".to_owned(),
        name: "app".to_owned(),
        secret: Secret::new("secret".to_owned()),
        previous_secret: None,
        suspension: None,
        settings: AppSettings { kept, ..AppSettings::default() },
        created_at: Timestamp::from_seconds(1),
        updated_at: Timestamp::from_seconds(1),
    }
}

/// A user as a case describes it.
#[derive(Clone)]
struct Person {
    id: UserId,
    role: &'static str,
    teams: Vec<String>,
    teams_role: BTreeMap<String, String>,
    access: TokenAccess,
}

fn person(role: &'static str, teams: &[&str]) -> Person {
    Person {
        id: UserId::from_stored("ann".to_owned()),
        role,
        teams: owned(teams),
        teams_role: BTreeMap::new(),
        access: TokenAccess::default(),
    }
}

impl Person {
    fn in_team(mut self, team: &str, role: &str) -> Self {
        self.teams_role.insert(team.to_owned(), role.to_owned());
        self
    }

    fn may(&self, app: &App, action: Action, resource: &Resource<'_>) -> Result<Allowed, Denied> {
        let Self { id, role, teams, teams_role, access } = self;
        permit(app, &Subject { id, role, teams, teams_role, access }, action, resource)
    }

    fn teams_of(&self, app: &App, action: Action) -> Result<Option<Vec<String>>, Denied> {
        let Self { id, role, teams, teams_role, access } = self;
        permitted_teams(app, &Subject { id, role, teams, teams_role, access }, action)
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

fn by(role: &str, permission: &'static str, by: GrantedBy) -> Result<Allowed, String> {
    Ok(Allowed::Granted { role: role.to_owned(), permission, by })
}

fn told(ruling: Result<Allowed, Denied>) -> Result<Allowed, String> {
    ruling.map_err(|denied| denied.to_string())
}

#[test]
fn roles_are_granted_what_is_built_in_or_what_the_app_says() {
    let ban = |app: &App, role| told(person(role, &[]).may(app, Action::BanUser, &Resource::app()));
    let plain = app(json!({}));
    assert_eq!(ban(&plain, "moderator"), by("moderator", "ban-user", GrantedBy::Default));
    let no = "User 'ann' with role 'user' is not allowed to perform action BanUser";
    assert_eq!(ban(&plain, "user"), Err(no.to_owned()));
    assert!(ban(&plain, "captain").is_err(), "a custom role has nothing of itself");

    let granting = app(json!({"grants": {"user": ["ban-user"], "moderator": [], "captain": ["ban-user"]}}));
    assert_eq!(ban(&granting, "user"), by("user", "ban-user", GrantedBy::Setting));
    assert_eq!(ban(&granting, "captain"), by("captain", "ban-user", GrantedBy::Setting));
    assert!(ban(&granting, "moderator").is_err(), "grants stand in place of what is built in");
    assert_eq!(ban(&granting, "admin"), by("admin", "ban-user", GrantedBy::Default));
    let unknown = app(json!({"grants": {"user": ["fly", "ban-channel-member"]}}));
    assert!(ban(&unknown, "user").is_err(), "neither another permission nor one of another level");
}

#[test]
fn what_is_ones_own_is_more_open() {
    let app = app(json!({}));
    let (ann, bob) = (UserId::from_stored("ann".to_owned()), UserId::from_stored("bob".to_owned()));
    let update = |role, owner| told(person(role, &[]).may(&app, Action::UpdateUser, &Resource::own(owner)));
    assert_eq!(update("user", &ann), by("user", "update-user-owner", GrantedBy::Default));
    let no = "User 'ann' with role 'user' is not allowed to perform action UpdateUser";
    assert_eq!(update("user", &bob), Err(no.to_owned()));
    assert_eq!(update("admin", &bob), by("admin", "update-user", GrantedBy::Default));
    assert!(update("anonymous", &ann).is_err());
    let denied = person("user", &[]).may(&app, Action::UpdateUser, &Resource::own(&bob)).unwrap_err();
    assert_eq!(denied.lack, Lack::Ownership);
}

#[test]
fn teams_are_kept_apart() {
    let app = app(json!({"multi_tenant_enabled": true}));
    let reach = |person: &Person, teams: &[&str]| {
        let teams = owned(teams);
        told(person.may(&app, Action::MuteUser, &Resource::team(&teams)))
    };
    let red = person("user", &["red", "blue"]);
    assert!(reach(&red, &["red"]).is_ok() && reach(&red, &["green", "blue"]).is_ok());
    let in_app = "User 'ann' with roles ['user'] from teams ['red', 'blue'] cannot access resource in scope '.app' because \
                  requested resource";
    assert_eq!(reach(&red, &["green"]), Err(format!("{in_app} belongs to another team")));
    assert_eq!(reach(&red, &[]), Err(format!("{in_app} does not belong to any team")));
    let free = person("user", &[]);
    assert!(reach(&free, &[]).is_ok() && reach(&free, &["red"]).is_err());
    let global = person("global_moderator", &["red"]);
    for teams in [&["red"][..], &["green"], &[]] {
        assert_eq!(
            reach(&global, teams),
            by("global_moderator", "mute-user-any-team", GrantedBy::Default),
            "{teams:?}"
        );
    }
    let settings = json!({"multi_tenant_enabled": true, "disable_permissions_checks": true});
    let unchecked = self::app(settings);
    let ban = |teams: &[&str]| red.may(&unchecked, Action::BanUser, &Resource::team(&owned(teams)));
    assert_eq!(ban(&["red"]), Ok(Allowed::Unchecked));
    assert!(ban(&["green"]).is_err(), "teams stay apart without permissions");
}

#[test]
fn a_role_within_a_team_stands_in_place_of_the_one_in_the_app() {
    let tenants = app(json!({"multi_tenant_enabled": true}));
    let ban = |app: &App, person: &Person, team: &str| {
        person.may(app, Action::BanUser, &Resource::team(&owned(&[team]))).is_ok()
    };
    let ann = person("user", &["red", "blue"]).in_team("red", "moderator");
    assert!(ban(&tenants, &ann, "red") && !ban(&tenants, &ann, "blue"));
    let boss = person("admin", &["red", "blue"]).in_team("red", "user");
    assert!(!ban(&tenants, &boss, "red") && ban(&tenants, &boss, "blue"));
    assert!(ann.may(&tenants, Action::BanUser, &Resource::app()).is_ok(), "somewhere");
    // Where teams do not matter, neither do roles within them.
    assert!(!ban(&app(json!({})), &ann, "red"));

    let all = |person: &Person, teams: &[&str]| {
        let teams = owned(teams);
        let resource = Resource { teams: Teams::All(&teams), ..Resource::app() };
        person.may(&tenants, Action::BanUser, &resource).is_ok()
    };
    assert!(all(&ann, &["red"]) && !all(&ann, &["red", "blue"]) && !all(&ann, &["red", "green"]));
    let both = ann.clone().in_team("blue", "moderator");
    assert!(all(&both, &["red", "blue"]) && !all(&both, &[]));
    let beyond = Resource { teams: Teams::Beyond, ..Resource::app() };
    assert!(both.may(&tenants, Action::BanUser, &beyond).is_err());
    assert!(person("global_admin", &[]).may(&tenants, Action::BanUser, &beyond).is_ok());
}

#[test]
fn the_teams_in_which_one_may_are_told() {
    let tenants = app(json!({"multi_tenant_enabled": true}));
    let plain = app(json!({}));
    let ann = person("user", &["red", "blue"]).in_team("blue", "captain");
    assert_eq!(ann.teams_of(&tenants, Action::SearchUser), Ok(Some(owned(&["red"]))));
    assert_eq!(ann.teams_of(&plain, Action::SearchUser), Ok(None));
    assert_eq!(person("user", &[]).teams_of(&tenants, Action::SearchUser), Ok(Some(Vec::new())));
    assert_eq!(person("global_admin", &["red"]).teams_of(&tenants, Action::SearchUser), Ok(None));
    assert!(person("captain", &["red"]).teams_of(&tenants, Action::SearchUser).is_err());
    assert!(person("anonymous", &[]).teams_of(&tenants, Action::SearchUser).is_err());
    assert!(person("anonymous", &[]).teams_of(&plain, Action::SearchUser).is_err());
}

#[test]
fn channels_and_calls_have_grants_of_their_own() {
    let app = app(json!({"grants": {"user": ["ban-user"]}}));
    let messaging =
        |id: Option<&str>| Place::Channel { kind: "messaging".to_owned(), id: id.map(str::to_owned) };
    let (channel, of_type) =
        (json!({"channel_member": ["ban-channel-member"]}), json!({"user": ["create-channel"]}));
    let ban = |roles: &[&str], grants: &[Grants<'_>]| {
        let roles = owned(roles);
        let resource = Resource { place: messaging(Some("a")), roles: &roles, grants, ..Resource::app() };
        told(person("user", &[]).may(&app, Action::BanChannelMember, &resource))
    };
    let no = "User 'ann' with roles ['user', 'channel_member'] is not allowed to perform action BanChannelMember in scope \
              'messaging'";
    assert_eq!(ban(&["channel_member"], &[]), Err(no.to_owned()));
    assert_eq!(
        ban(&["channel_moderator"], &[]),
        by("channel_moderator", "ban-channel-member", GrantedBy::Default)
    );
    let own = [Grants::new(&channel), Grants::new(&of_type)];
    assert_eq!(
        ban(&["channel_member"], &own),
        by("channel_member", "ban-channel-member", GrantedBy::Setting)
    );
    let create = |grants: &[Grants<'_>]| {
        let resource = Resource { place: messaging(None), grants, ..Resource::app() };
        person("user", &[]).may(&app, Action::CreateChannel, &resource).is_ok()
    };
    let none = json!({"user": []});
    assert!(create(&[]) && create(&own) && !create(&[Grants::new(&none), Grants::new(&of_type)]));
    assert!(
        person("user", &[])
            .may(&app, Action::BanUser, &Resource { place: messaging(None), ..Resource::app() })
            .is_err(),
        "what is granted in the app is not granted in channels (8.6)"
    );
}

#[test]
fn a_token_adds_a_role_where_it_says() {
    let app = app(json!({}));
    let mut ann = person("user", &[]);
    let place =
        |kind: &str, id: Option<&str>| Place::Call { kind: kind.to_owned(), id: id.map(str::to_owned) };
    let join =
        |ann: &Person, place| ann.may(&app, Action::JoinCall, &Resource { place, ..Resource::app() }).is_ok();
    assert!(!join(&ann, place("default", Some("a"))));
    ann.access.calls = vec![Cid::parse("default:a").unwrap()];
    assert!(join(&ann, place("default", Some("a"))));
    assert!(!join(&ann, place("default", Some("b"))) && !join(&ann, place("other", Some("a"))));
    assert!(!join(&ann, place("default", None)), "one call is not its type");
    ann.access.role = Some("captain".to_owned());
    assert!(!join(&ann, place("default", Some("a"))), "the role that the token gives has no such grant");
    ann.access.role = Some("admin".to_owned());
    assert!(join(&ann, place("default", Some("a"))));
    assert!(ann.may(&app, Action::BanUser, &Resource::app()).is_err(), "a role in a call is none in the app");
}
