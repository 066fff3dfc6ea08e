package skilltape.rules.console.approver_listed_test

import data.skilltape.lib.example_test as example
import data.skilltape.rules.console.approver_listed

test_success_where_policy_names_no_groups if {
	_count([], ["owners"]) == 0
	_count([[]], ["owners"]) == 0
	count(approver_listed.findings) == 0 with input as example.console
}

test_success_by_the_entry_by_the_account_or_for_all if {
	_count([["owners", "security"]], ["owners"]) == 0
	_count([["incident"]], ["owners"]) == 0
	_count([["security"], ["owners"]], null) == 0
}

test_fail_another_group_than_each_rule_names if {
	_count([["security"]], ["owners"]) == 1
	_count([["owners"], ["security"]], ["owners"]) == 1
	_count([["security"]], []) == 1
}

test_success_person_by_token_group_or_by_the_entry if {
	_count_person([["security", "staff"]], "decide", null) == 0
	_count_person([["security"]], "decide", ["security"]) == 0
	_count_person([["security"]], "approvals", null) == 0
}

test_fail_person_of_a_group_of_that_name_at_another_provider if {
	other := object.union(example.person_operator, {"issuer": "https://other.example"})
	entry := {"actions": ["decide"], "issuer": "https://other.example", "token_groups": ["staff"]}
	document := object.union(example.console, {"action": "decide", "approvers": [["staff"]], "operator": other})
	count(approver_listed.findings) == 1 with input as document with data.lists.console.operators as [entry]
	count(approver_listed.findings) == 0 with input as document
		with data.lists.console.operators as [object.union(entry, {"approves": ["staff"]})]
}

test_fail_person_of_another_group if _count_person([["security"]], "decide", null) == 1

_count_person(approvers, action, approves) := number if {
	change := {"action": action, "approvers": approvers, "operator": example.person_operator}
	entry := {"actions": ["decide"], "token_groups": ["staff"]}
	entries := [object.union(entry, {"approves": name}) | some name in [approves]; name != null]
	number := count(approver_listed.findings) with input as object.union(example.console, change)
		with data.lists.console.operators as array.concat(entries, [entry])
}

_count(approvers, approves) := number if {
	document := object.union(example.console, {"action": "decide", "approvers": approvers})
	number := count(approver_listed.findings) with input as document
		with data.lists.console.operators as [_entry(approves)]
}

_entry(approves) := {"actions": ["decide"], "users": ["ada"]} if is_null(approves)

_entry(approves) := {"actions": ["decide"], "users": ["ada"], "approves": approves} if not is_null(approves)
