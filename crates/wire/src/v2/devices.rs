//! Bodies and answers of the operations on push devices (v2 2.3, 3.7).

use model::{Device, Invalid, PushProvider, Registration, UserId};
use serde_json::{Map, Value};

use super::{actor, user};
use crate::body::Object;
use crate::form::Query;
use crate::print::Printer;

/// `CreateDeviceRequest`.
///
/// # Errors
/// The first field that is not as it should be.
pub fn decode_create(body: Map<String, Value>) -> Result<Registration, Invalid> {
    let mut body = Object::root(body);
    let Some(id) = body.string("id")? else {
        return Err(body.refuse("id", "is required: the token of the push provider"));
    };
    let provider = body.string("push_provider")?;
    let Some(provider) = provider.as_deref().and_then(PushProvider::by_name) else {
        let names = PushProvider::ALL.map(|provider| format!("'{}'", provider.name()));
        return Err(body.refuse("push_provider", format!("must be one of {}", names.join(", "))));
    };
    Ok(Registration {
        user: actor::decode(&mut body)?,
        id,
        provider,
        provider_name: body.string("push_provider_name")?,
        hardware_id: body.string("hardware_id")?,
        voip: body.boolean("voip_token")?.unwrap_or(false),
    })
}

/// The parameters of `DeleteDevice`: the device, and whose it is.
///
/// # Errors
/// The first parameter that is not as it should be.
pub fn decode_delete(query: &Query) -> Result<(String, Option<UserId>), Invalid> {
    let id = query.get("id").ok_or_else(|| Invalid::new("id", "is required: the device to remove"))?;
    Ok((id.to_owned(), actor::in_query(query)?))
}

/// `ListDevicesResponse`.
#[must_use]
pub fn encode_list(owner: &UserId, devices: &[Device], duration: &str) -> Vec<u8> {
    let mut printer = Printer::with_capacity(64 + devices.len() * user::ROOM);
    printer.raw(r#"{"duration":"#).text(duration);
    printer.raw(r#","devices":"#).list(devices, |printer, device| user::print_device(printer, owner, device));
    printer.raw("}");
    printer.into_bytes()
}

#[cfg(test)]
mod tests {
    use model::Timestamp;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_device_has_an_id_and_a_provider() {
        let decode = |body: Value| decode_create(body.as_object().cloned().unwrap());
        let device = decode(json!({"id": "t", "push_provider": "apn", "voip_token": true, "user_id": "a"}));
        let expected = Registration {
            user: Some(UserId::parse("a").unwrap()),
            id: "t".to_owned(),
            provider: PushProvider::Apn,
            provider_name: None,
            hardware_id: None,
            voip: true,
        };
        assert_eq!(device, Ok(expected));
        let provider = "push_provider: must be one of 'apn', 'firebase', 'huawei', 'xiaomi'";
        for (body, refused) in [
            (json!({"push_provider": "apn"}), "id: is required: the token of the push provider"),
            (json!({"id": "t"}), provider),
            (json!({"id": "t", "push_provider": "APN"}), provider),
            (json!({"id": "t", "push_provider": 1}), "push_provider: must be a string, got a number"),
            (
                json!({"id": "t", "push_provider": "apn", "voip_token": 1}),
                "voip_token: must be true or false, got a number",
            ),
        ] {
            assert_eq!(decode(body).unwrap_err().to_string(), refused);
        }
    }

    #[test]
    fn a_device_shows_what_it_has() {
        let device = Device {
            id: "t\"".to_owned(),
            provider: PushProvider::Firebase,
            provider_name: Some("main".to_owned()),
            hardware_id: Some("h".to_owned()),
            voip: true,
            disabled_reason: Some("gone".to_owned()),
            created_at: Timestamp::from_nanoseconds(7),
        };
        let bytes = encode_list(&UserId::parse("a").unwrap(), &[device], "1ms");
        let expected = r#"{"duration":"1ms","devices":[{"id":"t\"","push_provider":"firebase","user_id":"a","created_at":7,"push_provider_name":"main","hardware_id":"h","disabled":true,"disabled_reason":"gone","voip":true}]}"#;
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    }
}
