package skilltape.rules.access.working_hours_test

import data.skilltape.lib.example_test as example
import data.skilltape.rules.access.working_hours

_clock(weekday, minute_of_day) := {
	"date": "2026-01-02",
	"weekday": weekday,
	"hour": 0,
	"minute": 0,
	"minute_of_day": minute_of_day,
}

_office := {"time_zone": "Europe/Berlin", "days": ["mon", "fri"], "from": "08:30", "to": "24:00"}

test_success_list_without_entries if count(working_hours.findings) == 0 with input as example.access

test_success_within_the_hours_and_people_without_any if {
	every minute in [510, 1439] { count(_of(_clock("fri", minute), [_office])) == 0 }
	count(_of(_clock("sun", 0), [object.union(_office, {"when": {"groups": ["other"]}})])) == 0
}

test_success_hours_of_any_entry if {
	night := object.union(_office, {"days": ["sat"], "from": "00:00", "to": "06:00"})
	count(_of(_clock("sat", 359), [_office, night])) == 0
}

test_fail_outside_of_the_hours if {
	every clock in [_clock("fri", 509), _clock("tue", 600)] {
		_of(clock, [_office]) == {{
			"effect": "deny",
			"message": concat(" ", [
				"The gateway is closed for you at this time.",
				"Your hours are: mon fri 08:30-24:00 Europe/Berlin.",
			]),
		}}
	}
	count(_of(_clock("fri", 360), [object.union(_office, {"from": "00:00", "to": "06:00"})])) == 1
}

test_fail_time_zone_without_a_clock if {
	count(_of(_clock("fri", 600), [object.union(_office, {"time_zone": "Asia/Tokyo"})])) == 1
}

_of(clock, rules) := findings if {
	document := example.access_with({"clock": {"UTC": example.access.clock.UTC, "Europe/Berlin": clock}})
	findings := working_hours.findings with input as document with data.lists.working_hours.rules as rules
}
