//! `docs/permissions.md` is made here, of the catalogue, and is what it says.

use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

use model::{CATALOGUE, Level, Permission};

const PAGE: &str = "../../docs/permissions.md";

const HEAD: &str = "\
# Permissions

<!-- Made by crates/operations/tests/it/permissions_page.rs: change it there, or the catalogue in crates/model. -->

A server may do everything within its app. A user, shown by a token of its own, may do what its roles are granted.

- **Roles.** A user has one in the app; in an app with teams (`multi_tenant_enabled`), `teams_role` gives it another one within a team,
  which stands in place of the one in the app there. Members of channels and calls have roles in these. An app makes up to 25 of its own
  (`POST /api/v2/roles`), which are granted nothing at first.
- **Grants.** A role has the permissions of the tables below until the app says otherwise: `PATCH /api/v2/app` with
  `{\"grants\": {\"captain\": [\"search-user\", \"ban-user\"]}}` replaces what those roles are granted that it names, `[]` leaves a role
  nothing, `null` gives it back what is built in, and `{\"grants\": {}}` does so for all. An id that is not below is kept and grants
  nothing: an app may bring grants of what is still to come.
- **Nobody gives more than it has.** A role in the app is given and taken by whoever may change roles in every team of the user by its own
  role in the app; a role within a team by whoever may there; a role that is granted something in any team by whoever may change roles in
  any team. To be in no team is to be among those who are in none.
- **Own** permissions, whose ids end in `-owner`, hold on what is the caller's own. **Any-team** permissions reach beyond the teams of the
  caller; all others end there, in an app with teams.
- **Out of reach is out of sight.** Of users, groups and bans of other teams a client learns nothing: acting on them is answered as
  if they did not exist.
- A token with `call_cids` or `channel_cids` adds, in each call and channel that it names, the role of a member, or the one in its claim
  `role`. It never takes anything away, and adds nothing elsewhere.
- `disable_permissions_checks` lets users do everything but reach into other teams; what is for servers stays for servers.
- A banned user may read and change nothing, whatever its roles. A deactivated or deleted one is not let in at all.

`GET /api/v2/permissions/explain?user_id=alice&action=BanUser&resource=user:bob` answers whether, and which grant or lack decides:

```json
{\"allowed\": false, \"user_id\": \"alice\", \"action\": \"BanUser\", \"resource\": \"user:bob\", \"duration\": \"0.05ms\",
 \"reason\": \"User 'alice' with role 'user' is not allowed to perform action BanUser\"}
```

`resource` is `app` (or left out), `user:ID`, `channel:TYPE`, `channel:TYPE:ID`, `call:TYPE` or `call:TYPE:ID`. A server asks about
anybody, `!anon` included; a user about itself, with what its token adds.
";

/// A table of the permissions of one level: a column for each role that one of them is granted.
fn table(level: Level) -> String {
    let rows: Vec<&Permission> = CATALOGUE.iter().filter(|permission| permission.level == level).collect();
    let mut roles: Vec<&str> = rows.iter().flat_map(|permission| permission.granted).copied().collect();
    // From those who may least.
    let rank = |role: &str| {
        let order = [
            "anonymous",
            "guest",
            "user",
            "call_member",
            "channel_member",
            "host",
            "channel_moderator",
            "moderator",
        ];
        order.iter().position(|known| *known == role).unwrap_or(order.len())
    };
    roles.sort_unstable_by_key(|role| (rank(role), *role));
    roles.dedup();
    let mut table = format!("| permission | what it lets one do | {} |\n", roles.join(" | "));
    writeln!(table, "|---|---|{}", ":-:|".repeat(roles.len())).unwrap();
    for permission in rows {
        let marks = roles.iter().map(|role| if permission.granted.contains(role) { "yes" } else { "" });
        let marks: Vec<&str> = marks.collect();
        writeln!(table, "| `{}` | {} | {} |", permission.id, permission.description, marks.join(" | "))
            .unwrap();
    }
    table
}

fn page() -> String {
    let [app, channels, calls] = [Level::App, Level::Channel, Level::Call].map(table);
    format!("{HEAD}\n## In the app\n\n{app}\n## In channels\n\n{channels}\n## In calls\n\n{calls}")
}

#[test]
fn the_page_of_permissions_is_what_the_catalogue_says() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    let page = page();
    if env::var_os("HEADWATER_UPDATE").is_some() {
        fs::write(&file, &page).unwrap();
    }
    let written = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        written == page,
        "docs/permissions.md differs from the catalogue; run the test with HEADWATER_UPDATE=1 to rewrite it, and review the change"
    );
}
