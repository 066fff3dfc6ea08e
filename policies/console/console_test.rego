package skilltape.console_test

import data.skilltape.console
import data.skilltape.lib.example_test as example

_list := {"operators": [{"actions": ["reveal"], "users": ["ada"]}], "limits": _limits}

_limits := {"values_per_operator_per_hour": 20, "values_per_person_per_hour": 30, "reason_min_chars": 10}

test_success_listed_operator if {
	console.decision == {
		"verdict": "allow",
		"reasons": [],
		"limits": {"values_per_operator_per_hour": 20, "values_per_person_per_hour": 30},
	} with input as example.console with data.lists.console as _list
}

test_success_who_the_operator_is_by_token if {
	person := {"issuer": "https://idp.example", "subject": "u-2"}
	entry := {"actions": ["decide"], "users": ["ada"], "person": person}
	list := {"operators": [entry], "limits": _limits}
	decide := object.union(example.console, {"action": "decide"})
	console.decision.persons == [person] with input as decide with data.lists.console as list
	document := object.union(decide, {"operator": example.person_operator})
	console.decision.persons == [{"issuer": "https://idp.example", "subject": "u-7"}] with input as document
		with data.lists.console as list
}

test_fail_nobody_with_the_shipped_list if {
	_rules == {"console/operator_listed"} with input as example.console
}

test_fail_input_that_is_no_document if {
	every document in [null, false, 0, "", "x", [], {}] {
		"skilltape/input_malformed" in _rules with input as document with data.lists.console as _list
	}
}

test_fail_without_input if "skilltape/input_malformed" in _rules with data.lists.console as _list

test_fail_each_field_missing if {
	every field, _ in example.console {
		"skilltape/input_malformed" in _rules with input as object.remove(example.console, {field})
			with data.lists.console as _list
	}
}

test_fail_list_missing_or_malformed if {
	every list in [{}, {"operators": []}, {"operators": "ada", "limits": _limits}, {"operators": [], "limits": 3}] {
		"skilltape/lists_malformed" in _rules with input as example.console with data.lists.console as list
		console.decision.limits.values_per_operator_per_hour == 0 with input as example.console
			with data.lists.console as list
	}
}

test_fail_limit_that_is_no_number if {
	every limit in [null, "20", -1, []] {
		list := object.union(_list, {"limits": {"values_per_person_per_hour": limit}})
		"skilltape/lists_malformed" in _rules with input as example.console with data.lists.console as list
	}
}

test_fail_rule_that_is_not_usable if {
	_rules == {"console/a"} with input as example.console
		with data.lists.console as _list
		with data.skilltape.rules.console as {"a": {}}
}

_rules := {reason.rule | some reason in console.decision.reasons} if {
	console.decision.verdict == "deny"
}
