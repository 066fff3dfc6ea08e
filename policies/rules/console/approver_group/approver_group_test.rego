package skilltape.rules.console.approver_group_test

import data.skilltape.lib.example_test as example
import data.skilltape.rules.console.approver_group

test_success_one_of_the_groups if _findings({}, ["security", "staff"]) == 0

test_success_no_group_is_named if _findings({"groups": []}, []) == 0

test_success_account_has_no_such_groups if _findings({"kind": "os", "groups": []}, ["security"]) == 0

test_success_only_deciding_takes_a_group if {
	every action in ["approvals", "reveal"] {
		document := object.union(_document({}, ["security"]), {"action": action})
		count(approver_group.findings) == 0 with input as document
	}
}

test_fail_another_group if _findings({}, ["security"]) == 1

test_fail_no_group_at_all if _findings({"groups": []}, ["security"]) == 1

_findings(change, approvers) := found if {
	found := count(approver_group.findings) with input as _document(change, approvers)
}

_document(change, approvers) := object.union(example.console, {
	"action": "decide",
	"approvers": approvers,
	"operator": object.union(example.person_operator, change),
})
