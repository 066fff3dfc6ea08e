package skilltape.rules.console.own_request_test

import data.skilltape.lib.example_test as example
import data.skilltape.rules.console.own_request

test_success_somebody_else_decides if {
	_messages({"issuer": "https://idp.example", "subject": "u-2"}, "decide") == set()
	_messages({"issuer": "https://other.example", "subject": "u-1"}, "decide") == set()
}

test_success_own_values_may_be_revealed if {
	_messages({"issuer": "https://idp.example", "subject": "u-1"}, "reveal") == set()
	_messages(null, "reveal") == set()
}

test_success_request_of_nobody_known if {
	document := object.union(example.console, {"action": "decide", "person": null})
	count(own_request.findings) == 0 with input as document
		with data.lists.console.operators as [_entry({"issuer": "https://idp.example", "subject": "u-1"})]
}

test_fail_own_request if {
	person := {"issuer": "https://idp.example", "subject": "u-1"}
	_messages(person, "decide") == {"You cannot decide about a request of your own."}
}

test_fail_operator_whose_token_nobody_knows if {
	every action in ["decide", "grant", "break_glass"] { count(_messages(null, action)) == 1 }
}

test_fail_own_access_and_own_break_glass if {
	person := {"issuer": "https://idp.example", "subject": "u-1"}
	every action in ["grant", "break_glass"] {
		_messages(person, action) == {"You cannot decide about a request of your own."}
	}
}

test_fail_own_request_in_the_console if {
	document := object.union(example.console, {
		"action": "decide",
		"operator": object.union(example.person_operator, {"subject": "u-1"}),
	})
	entry := {"actions": ["decide"], "token_groups": ["staff"]}
	count(own_request.findings) == 1 with input as document with data.lists.console.operators as [entry]
}

test_success_request_of_another_in_the_console if {
	document := object.union(example.console, {"action": "decide", "operator": example.person_operator})
	entry := {"actions": ["decide"], "token_groups": ["staff"]}
	count(own_request.findings) == 0 with input as document with data.lists.console.operators as [entry]
}

_messages(person, action) := {finding.message | some finding in found} if {
	document := object.union(example.console, {"action": action})
	found := own_request.findings with input as document with data.lists.console.operators as [_entry(person)]
}

_entry(person) := {"actions": _actions, "users": ["ada"]} if is_null(person)

_entry(person) := {"actions": _actions, "users": ["ada"], "person": person} if not is_null(person)

_actions := ["decide", "grant", "break_glass", "reveal"]
