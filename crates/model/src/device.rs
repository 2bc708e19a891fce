//! Push devices: tokens of push providers, each with one user of the app at a time (semantics 14.1 to 14.5).

use serde::{Deserialize, Serialize};

use crate::{Invalid, Timestamp, UserId, leaf};

/// The most devices of a user; one more takes the place of the oldest (semantics 14.1).
pub const MOST_DEVICES: usize = 25;

/// The longest id of a device in bytes. The tokens of the providers have some two hundred.
pub const LONGEST_DEVICE_ID: usize = 1024;

/// The longest name of a provider's configuration, and the longest id of hardware, in bytes.
pub const LONGEST_DEVICE_TEXT: usize = 255;

/// A device that takes pushes for a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// The token that the push provider gave it.
    pub id: String,
    /// The push provider.
    pub provider: PushProvider,
    /// The configuration of the provider, when the app has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_name: Option<String>,
    /// The stable id of the hardware.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hardware_id: Option<String>,
    /// Whether the token is for calls, at Apple's.
    pub voip: bool,
    /// Why the provider takes no more pushes for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled_reason: Option<String>,
    /// When it was first registered for its user.
    pub created_at: Timestamp,
}

impl Device {
    /// The device as the log keeps it: whoever has the token of a device can push to it, so there is a digest in its place.
    #[must_use]
    pub fn to_be_logged(&self) -> Self {
        Self { id: leaf::fingerprint(&self.id), hardware_id: None, ..self.clone() }
    }
}

/// Who delivers pushes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PushProvider {
    /// Apple's.
    Apn,
    /// Google's.
    Firebase,
    /// Huawei's.
    Huawei,
    /// Xiaomi's.
    Xiaomi,
}

impl PushProvider {
    /// Every provider.
    pub const ALL: [Self; 4] = [Self::Apn, Self::Firebase, Self::Huawei, Self::Xiaomi];

    /// The name, as it is stored and as clients know it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Apn => "apn",
            Self::Firebase => "firebase",
            Self::Huawei => "huawei",
            Self::Xiaomi => "xiaomi",
        }
    }

    /// The provider with this name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.name() == name)
    }
}

/// A device to be registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// Whose device it is; the user who asks, when nobody is named.
    pub user: Option<UserId>,
    /// See [`Device::id`].
    pub id: String,
    /// See [`Device::provider`].
    pub provider: PushProvider,
    /// See [`Device::provider_name`].
    pub provider_name: Option<String>,
    /// See [`Device::hardware_id`].
    pub hardware_id: Option<String>,
    /// See [`Device::voip`].
    pub voip: bool,
}

impl Registration {
    /// Checks the lengths of its texts.
    ///
    /// # Errors
    /// The first that is empty or too long.
    pub fn check(&self) -> Result<(), Invalid> {
        check_device_id(&self.id)?;
        for (name, text) in [("push_provider_name", &self.provider_name), ("hardware_id", &self.hardware_id)]
        {
            if let Some(text) = text
                && text.len() > LONGEST_DEVICE_TEXT
            {
                let why = format!("must have at most {LONGEST_DEVICE_TEXT} bytes, has {}", text.len());
                return Err(Invalid::new(name, why));
            }
        }
        Ok(())
    }

    /// The device as it is to be stored: since `known` was registered for the same user, otherwise from `now` on. That
    /// it is registered again means that its provider has given it a token that works.
    #[must_use]
    pub fn device(&self, known: Option<&Device>, now: Timestamp) -> Device {
        let text = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        Device {
            id: self.id.clone(),
            provider: self.provider,
            provider_name: text(&self.provider_name),
            hardware_id: text(&self.hardware_id),
            voip: self.voip,
            disabled_reason: None,
            created_at: known.map_or(now, |known| known.created_at),
        }
    }
}

/// Checks the id of a device.
///
/// # Errors
/// When it is empty or too long.
pub fn check_device_id(id: &str) -> Result<(), Invalid> {
    if (1..=LONGEST_DEVICE_ID).contains(&id.len()) {
        return Ok(());
    }
    Err(Invalid::new("id", format!("must have 1 to {LONGEST_DEVICE_ID} bytes, has {}", id.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registration() -> Registration {
        Registration {
            user: None,
            id: "token".to_owned(),
            provider: PushProvider::Apn,
            provider_name: Some(String::new()),
            hardware_id: Some("h".repeat(LONGEST_DEVICE_TEXT)),
            voip: true,
        }
    }

    #[test]
    fn texts_have_a_length() {
        let check =
            |registration: &Registration| registration.check().err().map(|invalid| invalid.to_string());
        assert_eq!(check(&registration()), None);
        assert_eq!(check(&Registration { id: "x".repeat(LONGEST_DEVICE_ID), ..registration() }), None);
        for (id, has) in [(String::new(), 0), ("x".repeat(LONGEST_DEVICE_ID + 1), LONGEST_DEVICE_ID + 1)] {
            let refused = check(&Registration { id, ..registration() });
            assert_eq!(refused, Some(format!("id: must have 1 to 1024 bytes, has {has}")));
        }
        let refused = check(&Registration { provider_name: Some("x".repeat(256)), ..registration() });
        assert_eq!(refused.as_deref(), Some("push_provider_name: must have at most 255 bytes, has 256"));
        let refused = check(&Registration { hardware_id: Some("x".repeat(256)), ..registration() });
        assert_eq!(refused.as_deref(), Some("hardware_id: must have at most 255 bytes, has 256"));
    }

    #[test]
    fn a_device_keeps_its_first_day_and_is_enabled_again() {
        let day = Timestamp::from_seconds;
        let new = registration().device(None, day(2));
        assert_eq!((new.created_at, &new.provider_name), (day(2), &None));
        let known = Device { created_at: day(1), disabled_reason: Some("gone".to_owned()), ..new.clone() };
        assert_eq!(registration().device(Some(&known), day(3)), Device { created_at: day(1), ..new });
    }

    #[test]
    fn providers_have_the_names_that_are_stored() {
        for provider in PushProvider::ALL {
            assert_eq!(PushProvider::by_name(provider.name()), Some(provider));
            assert_eq!(serde_json::to_value(provider).unwrap(), provider.name());
        }
        assert_eq!(PushProvider::by_name("APN"), None);
    }
}
