package skilltape.rules.console.operator_listed_test

import data.skilltape.lib.example_test as example
import data.skilltape.rules.console.operator_listed

test_success_by_user_uid_or_group if {
	every entry in [{"users": ["eve", "ada"]}, {"uids": [1000]}, {"groups": ["incident"]}] {
		_listed(object.union(entry, {"actions": ["search", "reveal"]}))
	}
}

test_success_connection_and_types_that_are_covered if {
	_listed(_entry({"connections": ["claude"], "types": ["EMAIL", "IP"]}))
}

test_fail_nobody_listed if {
	count(operator_listed.findings) == 1 with input as example.console with data.lists.console.operators as []
}

test_fail_another_action_user_connection_or_type if {
	every change in [
		{"actions": ["search"]}, {"users": ["eve"]}, {"connections": ["other"]}, {"connections": []},
		{"types": ["IP"]}, {"types": []},
	] {
		not _listed(_entry(change))
	}
}

test_fail_entry_that_names_nobody if not _listed({"actions": ["reveal"]})

test_fail_two_entries_do_not_add_up if {
	entries := [_entry({"types": ["EMAIL"]}), _entry({"types": ["IP"]})]
	document := object.union(example.console, {"types": ["EMAIL", "IP"]})
	count(operator_listed.findings) == 1 with input as document with data.lists.console.operators as entries
}

test_success_person_by_token_group_or_token if {
	every entry in [{"token_groups": ["staff"]}, {"person": {"issuer": "https://idp.example", "subject": "u-7"}}] {
		_listed_person(object.union(entry, {"actions": ["decide"]}), "decide")
	}
}

test_success_whoever_decides_sees_what_is_held if {
	_listed_person({"actions": ["decide"], "token_groups": ["staff"]}, "approvals")
}

test_fail_whoever_sees_does_not_decide if {
	not _listed_person({"actions": ["approvals"], "token_groups": ["staff"]}, "decide")
}

test_fail_names_of_accounts_are_no_names_of_persons if {
	every entry in [{"users": ["Grace"]}, {"uids": [-1]}, {"groups": ["staff"]}] {
		not _listed_person(object.union(entry, {"actions": ["decide"]}), "decide")
	}
}

test_fail_groups_of_tokens_are_no_groups_of_accounts if {
	not _listed({"actions": ["reveal"], "token_groups": ["staff", "incident"]})
	not _listed({"actions": ["reveal"], "person": {"issuer": "", "subject": ""}})
}

test_fail_same_group_of_another_issuer if {
	entry := {"actions": ["decide"], "token_groups": ["staff"]}
	other := {"issuer": "https://other.example"}
	not _listed_operator(entry, object.union(example.person_operator, other))
	not _listed_operator(object.union(entry, other), example.person_operator)
	_listed_operator(object.union(entry, other), object.union(example.person_operator, other))
}

test_fail_same_subject_of_another_issuer if {
	not _listed_person(
		{"actions": ["decide"], "person": {"issuer": "https://other.example", "subject": "u-7"}},
		"decide",
	)
}

_listed_operator(entry, operator) if {
	document := object.union(example.console, {"action": "decide", "operator": operator})
	count(operator_listed.findings) == 0 with input as document with data.lists.console.operators as [entry]
}

_listed_person(entry, action) if {
	document := object.union(example.console, {"action": action, "operator": example.person_operator})
	count(operator_listed.findings) == 0 with input as document with data.lists.console.operators as [entry]
}

_entry(change) := object.union({"actions": ["reveal"], "users": ["ada"]}, change)

_listed(entry) if {
	count(operator_listed.findings) == 0 with input as example.console with data.lists.console.operators as [entry]
}

test_fail_export_of_all_connections_by_an_entry_for_some if {
	document := object.union(example.console, {"action": "export", "connection": "", "types": []})
	entry := {"actions": ["export"], "users": ["ada"]}
	count(operator_listed.findings) == 0 with input as document with data.lists.console.operators as [entry]
	count(operator_listed.findings) == 1 with input as document
		with data.lists.console.operators as [object.union(entry, {"connections": ["claude"]})]
}
