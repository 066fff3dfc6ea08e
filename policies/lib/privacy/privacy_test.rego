package skilltape.lib.privacy_test

import data.skilltape.lib.example_test as example
import data.skilltape.lib.privacy
import data.skilltape.record

usual := {"person": "named", "address": "kept", "groups": "kept"}

test_success_shipped_policy_shows_who_called if {
	record.decision.privacy == usual with input as example.record
}

test_fail_the_stricter_one_wins_part_by_part if {
	findings := [
		{"privacy": {"person": "pseudonym"}, "message": "m"},
		{"privacy": {"person": "named", "address": "dropped"}, "message": "m"},
	]
	decision := _of(findings)
	decision.privacy == {"person": "pseudonym", "address": "dropped", "groups": "kept"}
	decision.keep == "full"
}

test_fail_what_cannot_be_read_shows_nobody if {
	every finding in [{}, "x", {"privacy": {"person": "hidden"}}, {"privacy": 1, "keep": "full"}, {"message": "m"}] {
		decision := _of([finding])
		decision.privacy == privacy.strict
		decision.keep == "metadata"
	}
	every document in [null, {}] {
		decision := record.decision with input as document
		decision.privacy == privacy.strict
	}
}

_of(findings) := decision if {
	decision := record.decision with input as example.record
		with data.skilltape.rules.record as {"a": {"findings": findings}}
}
