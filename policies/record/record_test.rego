package skilltape.record_test

import data.skilltape.lib.example_test as example
import data.skilltape.record

usual_privacy := {"person": "named", "address": "kept", "groups": "kept"}

usual_masking := {"off": [], "on": [], "plain": [], "scopes": {}, "whole": [], "drop": []}

test_success_everything_is_kept_in_full if {
	record.decision == {
		"keep": "full",
		"retention_class": "standard",
		"masking": usual_masking,
		"privacy": usual_privacy,
		"reasons": [],
	} with input as example.record
}

test_success_request_that_got_no_answer if {
	answer := {"outcome": "refused", "status": null, "stop_reason": "", "model": "", "input_tokens": null}
	change := {"answer": answer, "claude": null, "identity": null, "verdict": {"decision": "none"}}
	record.decision.keep == "full" with input as example.record_with(change)
}

test_fail_input_that_is_no_document if {
	every document in [null, false, 0, "", "x", [], {}] {
		_metadata_by("skilltape/input_malformed") with input as document
	}
}

test_fail_lists_missing if {
	_metadata_by("skilltape/lists_malformed") with input as example.record with data.lists as {}
}

test_success_rule_keeps_metadata if {
	record.decision == {
		"keep": "metadata",
		"retention_class": "standard",
		"masking": usual_masking,
		"privacy": usual_privacy,
		"reasons": [{"rule": "record/a", "message": "m"}],
	} with input as example.record with data.skilltape.rules.record as _rules([{"keep": "metadata", "message": "m"}])
}

test_fail_metadata_wins_over_full if {
	record.decision.keep == "metadata" with input as example.record
		with data.skilltape.rules.record as _rules([{"keep": "full"}, {"keep": "metadata"}])
}

test_fail_finding_that_cannot_be_read_keeps_metadata if {
	every finding in [{}, "x", null, {"keep": "ful"}, {"retention_class": 1}, {"message": "m"}] {
		_metadata_by("record/a") with input as example.record with data.skilltape.rules.record as _rules([finding])
	}
}

test_success_longest_class_wins if {
	_class([]) == "short"
	_class([{"retention_class": "standard"}]) == "standard"
	_class([{"retention_class": "long"}, {"retention_class": "short"}, {"retention_class": "standard"}]) == "long"
}

test_fail_unknown_class_counts_as_the_longest if {
	_class([{"retention_class": "unknown"}]) == "long"
}

test_success_class_alone_keeps_in_full if {
	record.decision.keep == "full" with input as example.record
		with data.skilltape.rules.record as _rules([{"retention_class": "standard"}])
}

test_fail_default_class_must_be_a_class if {
	_metadata_by("skilltape/lists_malformed") with input as example.record with data.lists.retention["default"] as "other"
}

test_success_masking_alone_keeps_in_full if {
	decision := record.decision with input as example.record
		with data.skilltape.rules.record as _rules([{"masking": {"drop": ["tools"]}, "message": "m"}])
	decision.keep == "full"
	decision.masking == object.union(usual_masking, {"drop": ["tools"]})
}

test_fail_masking_that_cannot_be_read_keeps_metadata if {
	every part in [{"dropp": ["tools"]}, {"off": ["SECRET"]}, {"scopes": {"SSN": "all"}}, "x", []] {
		every finding in [{"masking": part}, {"masking": part, "keep": "full"}, {"masking": part, "retention_class": "standard"}] {
			_metadata_by("record/a") with input as example.record with data.skilltape.rules.record as _rules([finding])
		}
	}
}

test_success_masking_by_the_retention_class_that_other_rules_ask_for if {
	findings := [{"masking": {"drop": ["answer"], "classes": ["long"]}}, {"retention_class": "long"}]
	decision := record.decision with input as example.record
		with data.lists.retention as {"default": "short", "classes": ["short", "long"]}
		with data.skilltape.rules.record as _rules(findings)
	decision.masking.drop == ["answer"]
}

test_fail_masking_list_is_one_of_the_lists if {
	lists := {
		"masking": {"rules": [{"scopes": {"SSN": "all"}, "off": ["SECRET"]}]},
		"deny": object.union(data.lists.deny, {"emails": 1}),
	}
	decision := record.decision with input as example.record with data.lists as object.union(data.lists, lists)
	decision.keep == "metadata"
	decision.masking == usual_masking
	some reason in decision.reasons
	reason.rule == "skilltape/lists_malformed"
	reason.message == concat("", [
		"The lists of the policy are not usable; missing or wrong: ",
		"deny.emails, masking.rules[0].off, masking.rules[0].scopes.",
	])
}

_class(findings) := class if {
	class := record.decision.retention_class with input as example.record
		with data.lists.retention as {"default": "short", "classes": ["short", "standard", "long"]}
		with data.skilltape.rules.record as _rules(findings)
}

_rules(findings) := {"a": {"findings": findings}}

_metadata_by(rule) if {
	record.decision.keep == "metadata"
	some reason in record.decision.reasons
	reason.rule == rule
}

test_success_connection_that_keeps_metadata if {
	record.decision.keep == "metadata" with input as example.record_with({"connection": {"recording": "metadata"}})
}
