//! The user objects of requests: `UserRequest` (v2 3.1).

use model::{Custom, Invalid, Privacy, Profile, UserId};

use crate::body::Object;

/// Reads the user that stands in the map under `key`.
pub(super) fn decode(key: &str, mut user: Object) -> Result<(UserId, Profile), Invalid> {
    let id = UserId::parse(key).map_err(|invalid| invalid.within(user.path_of("id")))?;
    if let Some(inner) = user.string("id")?
        && inner != key
    {
        return Err(user.refuse("id", format!("must be the key of the user in the map, '{key}'")));
    }
    let custom = match user.object("custom")? {
        None => Custom::default(),
        Some(custom) => {
            let (path, fields) = custom.into_parts();
            Custom::parse(fields).map_err(|invalid| invalid.within(path))?
        }
    };
    let profile = Profile {
        name: user.string("name")?,
        image: user.string("image")?,
        custom,
        role: user.string("role")?,
        teams: user.strings("teams")?,
        teams_role: user.string_map("teams_role")?,
        language: user.string("language")?,
        invisible: user.boolean("invisible")?,
        privacy: user.object("privacy_settings")?.map(decode_privacy).transpose()?,
    };
    Ok((id, profile))
}

/// Reads `PrivacySettingsResponse`, which requests use as well.
pub(super) fn decode_privacy(mut settings: Object) -> Result<Privacy, Invalid> {
    let mut switch = |name: &str| match settings.object(name)? {
        None => Ok(None),
        Some(mut switch) => {
            let enabled = switch.boolean("enabled")?;
            enabled.map(Some).ok_or_else(|| switch.refuse("enabled", "is required: true or false"))
        }
    };
    Ok(Privacy {
        typing_indicators: switch("typing_indicators")?,
        read_receipts: switch("read_receipts")?,
        delivery_receipts: switch("delivery_receipts")?,
    })
}
