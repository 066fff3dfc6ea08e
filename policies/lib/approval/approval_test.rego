package skilltape.lib.approval_test

import data.skilltape.lib.approval
import data.skilltape.lib.example_test as example
import data.skilltape.request

hold := {"effect": "hold", "message": "m"}

strict := {"approvers": ["owners"], "quorum": 2, "open_minutes": 10, "scopes": ["request"], "grant_minutes": 5, "risk": "high"}

default_terms := {
	"approvers": ["security"],
	"quorum": 1,
	"open_minutes": 60,
	"scopes": ["request", "session"],
	"grant_minutes": 30,
	"risk": "medium",
}

test_success_without_terms_of_a_rule_those_of_the_list_count if {
	_approval({"a": [hold]}, {}) == default_terms
}

test_success_a_finding_has_terms_of_its_own if {
	_approval({"a": [object.union(hold, {"approval": strict})]}, {}) == strict
}

test_success_a_list_has_terms_for_a_rule_and_no_other if {
	_approval({"a": [hold]}, {"request/a": strict}) == strict
	_approval({"a": [hold]}, {"request/b": strict}) == default_terms
}

test_success_a_part_of_the_terms_is_enough if {
	_approval({"a": [hold]}, {"request/a": {"quorum": 3}}) == object.union(default_terms, {"quorum": 3})
	finding := object.union(hold, {"approval": {"risk": "low"}})
	_approval({"a": [finding]}, {"request/a": {"quorum": 3}}) == object.union(default_terms, {"quorum": 3, "risk": "low"})
}

test_success_of_several_rules_the_strictest_counts_and_each_has_its_approvers if {
	loose := {"approvers": ["staff"], "quorum": 1, "open_minutes": 90, "scopes": ["session"], "grant_minutes": 90, "risk": "low"}
	_approval({"a": [hold], "b": [hold]}, {"request/a": strict, "request/b": loose}) == {
		"approvers": ["owners", "staff"],
		"approver_lists": [["owners"], ["staff"]],
		"quorum": 2,
		"open_minutes": 10,
		"scopes": ["request"],
		"grant_minutes": 5,
		"risk": "high",
	}
}

test_fail_terms_that_cannot_be_read_do_not_count_and_are_told if {
	every part in [
		{"quorum": 0}, {"quorum": 1.5}, {"quorum": "2"}, {"quorum": 11}, {"approvers": "owners"}, {"approvers": [""]},
		{"approvers": [1]}, {"open_minutes": 0}, {"grant_minutes": -1}, {"scopes": []}, {"scopes": ["everything"]},
		{"risk": "none"}, {"quorums": 2}, "x", [], null,
	] {
		decision := _decision({"a": [object.union(hold, {"approval": part})]}, {})
		decision.verdict == "hold"
		decision.approval == default_terms
		some reason in decision.reasons
		reason.rule == "skilltape/approval_malformed"
	}
}

test_fail_one_bad_field_takes_the_others_with_it if {
	bad := {"quorum": 0, "risk": "low", "approvers": []}
	_approval({"a": [object.union(hold, {"approval": bad})]}, {}) == default_terms
}

test_success_no_reason_where_all_can_be_read if {
	_decision({"a": [object.union(hold, {"approval": strict})]}, {}).reasons == [{"rule": "request/a", "message": "m"}]
	count(approval.malformed({{"rule": "request/a", "finding": hold}})) == 0
}

test_fail_terms_do_not_make_a_denial_a_hold if {
	finding := {"effect": "deny", "message": "m", "approval": strict}
	decision := _decision({"a": [finding], "b": [hold]}, {})
	decision.verdict == "deny"
	not decision.approval
}

_approval(findings, of_rules) := _decision(findings, of_rules).approval

_decision(findings, of_rules) := decision if {
	rules := {name: {"findings": found} | some name, found in findings}
	decision := request.decision with input as example.request
		with data.skilltape.rules.request as rules
		with data.lists.approval as object.union(default_terms, {"rules": of_rules})
}
