package skilltape.rules.console.hourly_limit_test

import data.skilltape.lib.example_test as example
import data.skilltape.rules.console.hourly_limit

test_success_up_to_the_limits if {
	_findings(0, 0, 20) == 0
	_findings(19, 19, 1) == 0
}

test_fail_above_each_limit if {
	_findings(20, 0, 1) == 1
	_findings(0, 20, 1) == 1
	_findings(0, 0, 21) == 2
}

_findings(operator_values, person_values, values) := found if {
	last_hour := {"operator_values": operator_values, "person_values": person_values}
	document := object.union(example.console, {"values": values, "last_hour": last_hour})
	found := count(hourly_limit.findings) with input as document
}
