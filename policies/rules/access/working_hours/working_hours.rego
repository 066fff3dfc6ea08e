# METADATA
# title: Callers are let through in the hours that a list gives them
# description: |
#   Each of `lists.working_hours.rules` gives its callers some `days`, and the time `from` (included) `to` (excluded) in a
#   `time_zone`. Whoever some entries count for passes in the hours of any of them; whoever none counts for always passes.
#   Hours over midnight are two entries.
# scope: package
# schemas:
#   - input: schema.access.input
#   - data.lists.working_hours: schema.working_hours.list
package skilltape.rules.access.working_hours

import data.skilltape.lib.when

findings contains {"effect": "deny", "message": message} if {
	entries := when.met(data.lists.working_hours.rules)
	count(entries) > 0
	not _is_open(entries)
	hours := {hours |
		some entry in entries
		hours := $"{concat(" ", entry.days)} {entry.from}-{entry.to} {entry.time_zone}"
	}
	message := $"The gateway is closed for you at this time. Your hours are: {concat("; ", sort(hours))}."
}

# A time zone of which the input has no clock opens nothing.
_is_open(entries) if {
	some entry in entries
	clock := input.clock[entry.time_zone]
	clock.weekday in entry.days
	clock.minute_of_day >= _minutes(entry.from)
	clock.minute_of_day < _minutes(entry.to)
}

_minutes(time) := (60 * to_number(hour)) + to_number(minute) if [hour, minute] := split(time, ":")
