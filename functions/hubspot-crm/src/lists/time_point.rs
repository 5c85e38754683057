//! Points in time in the filters of lists: a date and a time of day in a time zone.

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime, Timelike as _, Utc};
use domain::Timestamp;
use domain::calendar::TimeZone;
use serde_json::{Value, json};

/// The part of a point that is wrong, and a sentence about it.
type Wrong = (&'static str, &'static str);

/// Reads a point as an instant in UTC.
///
/// # Errors
///
/// The part that is wrong or not supported.
pub(super) fn read(point: &Value) -> Result<String, Wrong> {
    if point.get("timeType").and_then(Value::as_str) != Some("DATE") {
        return Err(("timeType", "expected DATE, because points relative to now are not supported"));
    }
    let zone = point.get("zoneId").and_then(Value::as_str).unwrap_or("UTC");
    let zone: TimeZone =
        zone.parse().map_err(|_| ("zoneId", "expected an IANA time zone name such as Europe/Berlin"))?;
    let part = |name: &str| point.get(name).and_then(Value::as_i64);
    let small = |name: &str| u32::try_from(part(name).unwrap_or(0)).ok();
    let date = || {
        let year = i32::try_from(part("year")?).ok().filter(|year| (1970..=9999).contains(year))?;
        NaiveDate::from_ymd_opt(year, u32::try_from(part("month")?).ok()?, u32::try_from(part("day")?).ok()?)
    };
    let date = date().ok_or(("year", "expected a date of year, month and day"))?;
    let time =
        || date.and_hms_milli_opt(small("hour")?, small("minute")?, small("second")?, small("millisecond")?);
    let local = time().ok_or(("hour", "expected a time of hour, minute, second and millisecond"))?;
    Ok(instant(local, zone).to_string())
}

/// Returns the instant of a local time. Of two, it is one of them, and a time that clocks leave out is moved by the change.
fn instant(local: NaiveDateTime, zone: TimeZone) -> Timestamp {
    let wanted = local.and_utc().timestamp_millis();
    let mut at = Timestamp::from_millis(wanted);
    // The offset is first that of a nearby instant, and then that of the instant itself.
    for _ in 0..2 {
        let offset = zone.local(at).and_utc().timestamp_millis() - at.millis();
        at = Timestamp::from_millis(wanted - offset);
    }
    at
}

/// Returns the view of an instant in RFC 3339.
pub(super) fn view(instant: &str) -> Option<Value> {
    let at: DateTime<Utc> = DateTime::parse_from_rfc3339(instant).ok()?.to_utc();
    let is_exact = at.nanosecond().is_multiple_of(1_000_000);
    is_exact.then(|| {
        json!({
            "timeType": "DATE", "timezoneSource": "CUSTOM", "zoneId": "UTC",
            "year": at.year(), "month": at.month(), "day": at.day(),
            "hour": at.hour(), "minute": at.minute(), "second": at.second(),
            "millisecond": at.timestamp_subsec_millis(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(zone: &str, hour: u32) -> Value {
        json!({"timeType": "DATE", "zoneId": zone, "year": 2026, "month": 7, "day": 1, "hour": hour})
    }

    #[test]
    fn point_is_in_its_time_zone() {
        assert_eq!(read(&point("UTC", 8)).unwrap(), "2026-07-01T08:00:00.000Z");
        assert_eq!(read(&point("Europe/Berlin", 8)).unwrap(), "2026-07-01T06:00:00.000Z");
        assert_eq!(read(&point("America/New_York", 22)).unwrap(), "2026-07-02T02:00:00.000Z");
        let view = view("2026-07-01T06:00:00.123Z").unwrap();
        assert_eq!(read(&view).unwrap(), "2026-07-01T06:00:00.123Z");
    }

    #[test]
    fn part_of_a_wrong_point_is_named() {
        for (wrong, part) in [
            (json!(null), "timeType"),
            (json!({"timeType": "INDEXED", "indexReference": {"referenceType": "TODAY"}}), "timeType"),
            (point("Mars/Base", 0), "zoneId"),
            (point("UTC", 24), "hour"),
            (json!({"timeType": "DATE", "year": 2026, "month": 2, "day": 30}), "year"),
            (json!({"timeType": "DATE", "year": i64::MAX, "month": 2, "day": -1}), "year"),
        ] {
            assert_eq!(read(&wrong).unwrap_err().0, part, "{wrong}");
        }
    }
}
