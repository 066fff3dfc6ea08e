package skilltape.request_test

import data.skilltape.lib.example_test as example
import data.skilltape.request

test_success_example_is_allowed if {
	request.decision == {"verdict": "allow", "reasons": []} with input as example.request
}

test_fail_input_that_is_no_document if {
	every document in [null, false, 0, "", "x", [], {}] {
		_denied_by("skilltape/input_malformed") with input as document
	}
}

test_fail_without_input if _denied_by("skilltape/input_malformed")

test_fail_other_version if {
	_denied_by("skilltape/input_malformed") with input as example.request_with({"version": 2})
}

test_fail_lists_missing if {
	_denied_by("skilltape/lists_malformed") with input as example.request with data.lists as {}
}

test_fail_list_of_the_wrong_type if {
	_denied_by("skilltape/lists_malformed") with input as example.request with data.lists.deny.subjects as "u-2"
}

test_success_hold if {
	request.decision == {
		"verdict": "hold",
		"reasons": [{"rule": "request/a", "message": "m"}],
		"approval": data.lists.approval,
	} with input as example.request
		with data.skilltape.rules.request as {"a": {"findings": {{"effect": "hold", "message": "m"}}}}
}

test_fail_deny_wins_over_hold if {
	request.decision == {
		"verdict": "deny",
		"status": 403,
		"reasons": [{"rule": "request/b", "message": "d"}],
	} with input as example.request with data.skilltape.rules.request as {
		"a": {"findings": {{"effect": "hold", "message": "h"}}},
		"b": {"findings": {{"effect": "deny", "message": "d"}}},
	}
}

test_fail_lowest_status_of_all_denials if {
	request.decision.status == 401 with input as example.request
		with data.skilltape.rules.request as {
			"a": {"findings": {{"effect": "deny", "message": "a"}}},
			"b": {"findings": {{"effect": "deny", "status": 401, "message": "b"}}},
		}
}

test_fail_finding_that_cannot_be_read if {
	every finding in [{}, "x", null, true, [], {"effect": "hlod"}, {"effect": "allow"}, {"message": 1}] {
		_denied_by("request/a") with input as example.request
			with data.skilltape.rules.request as {"a": {"findings": {finding}}}
	}
}

test_fail_rule_without_a_set_of_findings if {
	every pkg in [{}, {"finding": set()}, {"findings": true}, {"findings": "x"}, {"findings": {"effect": "hold"}}] {
		_denied_by("request/a") with input as example.request
			with data.skilltape.rules.request as {"a": pkg}
	}
}

test_fail_rule_cannot_speak_for_another if {
	finding := {"rule": "x/y", "effect": "deny", "message": "m"}
	_denied_by("request/a") with input as example.request
		with data.skilltape.rules.request as {"a": {"findings": [finding]}}
}

_denied_by(rule) if {
	request.decision.verdict == "deny"
	some reason in request.decision.reasons
	reason.rule == rule
}
