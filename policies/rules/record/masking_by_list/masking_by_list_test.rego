package skilltape.rules.record.masking_by_list_test

import data.skilltape.lib.example_test as example
import data.skilltape.rules.record.masking_by_list

test_success_with_the_shipped_list if {
	count(masking_by_list.findings) == 0 with input as example.record
}

test_success_rule_for_all if {
	_asked(example.record, [{"drop": ["tools"]}]) == {{"drop": ["tools"]}}
}

test_success_each_condition if {
	document := example.record_with({"claude": {"skills": [{"type": "custom", "id": "payroll", "version": ""}]}})
	every name, wanted in {
		"connections": ["other", "claude"], "groups": ["staff"], "skills": ["payroll"], "endpoints": ["messages.*"],
	} {
		_asked(document, [{"when": {name: wanted}, "on": ["URL"]}]) == {{"on": ["URL"]}}
	}
}

test_fail_each_condition_that_is_not_met if {
	every name, wanted in {
		"connections": ["other"], "groups": ["legal"], "skills": ["payroll"], "endpoints": ["files.*"], "people": [],
	} {
		_asked(example.record, [{"when": {name: wanted}, "off": ["IP"]}]) == set()
	}
	every name in ["connections", "groups", "skills", "endpoints"] {
		_asked(example.record, [{"when": {name: []}, "off": ["IP"]}]) == set()
	}
}

test_fail_all_conditions_must_be_met if {
	when := {"connections": ["claude"], "groups": ["legal"]}
	_asked(example.record, [{"when": when, "off": ["IP"]}]) == set()
}

test_fail_nobody_is_in_no_group if {
	_asked(example.record_with({"identity": null}), [{"when": {"groups": ["staff"]}, "off": ["IP"]}]) == set()
}

test_success_classes_are_left_to_the_decision if {
	_asked(example.record, [{"when": {"classes": ["long"]}, "drop": ["answer"]}]) == {{
		"classes": ["long"],
		"drop": ["answer"],
	}}
}

test_success_skill_of_one_request_in_a_batch if {
	document := example.batch_with({"skills": [{"type": "custom", "id": "payroll", "version": ""}]})
	_asked(document, [{"when": {"skills": ["payroll"]}, "drop": ["messages"]}]) == {{"drop": ["messages"]}}
}

_asked(document, rules) := parts if {
	parts := {finding.masking | some finding in masking_by_list.findings} with input as document
		with data.lists.masking.rules as rules
}
