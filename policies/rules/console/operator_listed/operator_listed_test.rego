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
