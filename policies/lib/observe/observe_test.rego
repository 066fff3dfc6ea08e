package skilltape.lib.observe_test

import data.skilltape.access
import data.skilltape.lib.example_test as example
import data.skilltape.lib.observe
import data.skilltape.request

denial := {"effect": "deny", "message": "m"}

all := {"connections": ["claude"], "rules": []}

none := {"connections": [], "rules": []}

test_success_shipped_list_observes_nothing if {
	decision := request.decision with input as example.request with data.skilltape.rules.request as _rules(denial)
	decision.verdict == "deny"
	not decision.observed
}

test_success_observed_rule_lets_pass_and_says_what_it_would_do if {
	every list in [all, object.union(none, {"rules": ["request/a"]})] {
		request.decision == {
			"verdict": "allow",
			"reasons": [],
			"observed": {"verdict": "deny", "reasons": [{"rule": "request/a", "message": "m"}]},
		} with input as example.request with data.lists.observe as list with data.skilltape.rules.request as _rules(denial)
	}
}

test_success_deny_wins_over_hold_among_the_observed if {
	rules := {"a": {"findings": [object.union(denial, {"effect": "hold"})]}, "b": {"findings": [denial]}}
	decision := request.decision with input as example.request
		with data.lists.observe as all
		with data.skilltape.rules.request as rules
	decision.observed.verdict == "deny"
	decision.observed.reasons == [{"rule": "request/b", "message": "m"}]
}

test_fail_other_rules_and_connections_are_enforced if {
	every list in [{"connections": ["sandbox"], "rules": []}, {"connections": [], "rules": ["request/b", "access/a"]}] {
		request.decision == {"verdict": "deny", "status": 403, "reasons": [{"rule": "request/a", "message": "m"}]} with input as example.request
			with data.lists.observe as list
			with data.skilltape.rules.request as _rules(denial)
	}
}

test_fail_what_is_enforced_is_said_apart_from_what_is_observed if {
	rules := {"a": {"findings": [denial]}, "b": {"findings": [object.union(denial, {"message": "n"})]}}
	decision := request.decision with input as example.request
		with data.lists.observe as {"connections": [], "rules": ["request/b"]}
		with data.skilltape.rules.request as rules
	decision == {
		"verdict": "deny",
		"status": 403,
		"reasons": [{"rule": "request/a", "message": "m"}],
		"observed": {"verdict": "deny", "reasons": [{"rule": "request/b", "message": "n"}]},
	}
}

test_fail_a_finding_that_cannot_be_read_is_enforced if {
	every finding in [{"message": "m"}, {"effect": "denied", "message": "m"}, "x", null] {
		decision := request.decision with input as example.request
			with data.lists.observe as all
			with data.skilltape.rules.request as _rules(finding)
		decision.verdict == "deny"
	}
	decision := request.decision with input as example.request
		with data.lists.observe as all
		with data.skilltape.rules.request as {"a": {}}
	decision.verdict == "deny"
}

test_fail_faults_are_enforced_on_a_connection_that_is_observed if {
	every document in [null, {}, object.union(example.request, {"claude": 1})] {
		decision := request.decision with input as document with data.lists.observe as all
		decision.verdict == "deny"
	}
	lists := object.union(data.lists, {"observe": all, "deny": {"emails": 1}})
	decision := request.decision with input as example.request with data.lists as lists
	decision.verdict == "deny"
}

test_fail_nobody_known_is_enforced_on_a_connection_that_is_observed if {
	some failure in ["missing", "failed", "two_credentials", "wrong_issuer"]
	document := example.access_with({"identity": null, "authentication": {"failure": failure, "detail": ""}})
	decision := access.decision with input as document with data.lists.observe as all
	decision.verdict == "deny"
	decision.status == 401
}

test_fail_a_rule_that_is_always_enforced_is_so_by_its_name_too if {
	every name in observe.always_enforced {
		not observe.is_observed({"rule": name, "finding": denial}) with input as example.request
			with data.lists.observe as {"connections": ["claude"], "rules": [name]}
	}
}

_rules(finding) := {"a": {"findings": [finding]}}
