package skilltape.lib.grants_test

import data.skilltape.access
import data.skilltape.lib.example_test as example
import data.skilltape.lib.grants
import data.skilltape.lib.observe
import data.skilltape.request

denial := {"effect": "deny", "message": "m"}

access_grant := {"id": "g-1", "kind": "access", "skill": "", "model": "", "until": "2026-01-02T04:00:00.000Z"}

break_glass := object.union(access_grant, {"id": "g-2", "kind": "break_glass"})

test_success_a_grant_lets_the_denied_in_and_is_told if {
	access.decision == {
		"verdict": "allow",
		"reasons": [],
		"lifted": {
			"grants": ["g-1"],
			"reasons": [{"rule": "access/connection_allowed", "message": "You may not use the connection \"claude\"."}],
		},
	} with input as example.access_with({"grants": [access_grant]})
		with data.lists.allowed_connections.rules as [{"connections": ["sandbox"]}]
}

test_fail_a_grant_of_a_skill_opens_no_connection if {
	every change in [{"skill": "pdf"}, {"model": "claude-opus-5-5"}] {
		access.decision.verdict == "deny" with input as example.access_with({"grants": [object.union(access_grant, change)]})
			with data.lists.allowed_connections.rules as [{"connections": ["sandbox"]}]
	}
}

test_fail_an_access_grant_lifts_nothing_that_does_not_say_so if {
	_decided([access_grant], denial).verdict == "deny"
	_decided([access_grant], object.union(denial, {"grant": {"kind": "skill", "name": ""}})).verdict == "deny"
	_decided([access_grant], object.union(denial, {"grant": {"kind": "model", "name": ""}})).verdict == "deny"
}

test_success_a_skill_is_lifted_and_no_other_skill if {
	grant := object.union(access_grant, {"skill": "pdf"})
	of := {"kind": "skill", "name": "pdf"}
	_decided([grant], object.union(denial, {"grant": of})).verdict == "allow"
	_decided([grant], object.union(denial, {"grant": object.union(of, {"name": "xlsx"})})).verdict == "deny"
	_decided([grant], object.union(denial, {"grant": object.union(of, {"kind": "model"})})).verdict == "deny"
}

test_fail_one_of_two_skills_is_not_granted if {
	skills := [{"type": "anthropic", "id": id, "version": ""} | some id in ["pdf", "xlsx"]]
	document := example.request_with({
		"claude": object.union(example.request.claude, {"skills": skills}),
		"grants": [object.union(access_grant, {"skill": "pdf"})],
	})
	decision := request.decision with input as document with data.lists.allowed_skills.rules as [{"skills": ["docx"]}]
	decision.verdict == "deny"
	decision.reasons == [{
		"rule": "request/skill_allowed",
		"message": "The skill \"xlsx\" is not one of those that you may use.",
	}]
	decision.lifted.grants == ["g-1"]
}

test_success_break_glass_lifts_denials_and_holds_of_the_rules_it_names if {
	every effect in ["deny", "hold"] {
		finding := object.union(denial, {"effect": effect})
		_decided([break_glass], finding) == {
			"verdict": "allow",
			"reasons": [],
			"lifted": {"grants": ["g-2"], "reasons": [{"rule": "request/a", "message": "m"}]},
		}
	}
}

test_fail_break_glass_lifts_no_other_rule if {
	decision := request.decision with input as example.request_with({"grants": [break_glass]})
		with data.skilltape.rules.request as {"b": {"findings": [denial]}}
		with data.lists.break_glass.lifts as ["request/a"]
	decision == {"verdict": "deny", "status": 403, "reasons": [{"rule": "request/b", "message": "m"}]}
}

test_fail_what_stands_for_a_fault_and_the_deny_list_are_never_lifted if {
	every name in grants.never_lifted {
		not grants.is_lifted({"rule": name, "finding": denial}) with input as example.request_with({"grants": [break_glass]})
			with data.lists.break_glass.lifts as [name]
	}
	"access/deny_list" in grants.never_lifted
	"access/identity_required" in grants.never_lifted
	count(observe.always_enforced - grants.never_lifted) == 0
}

test_fail_nobody_known_is_not_let_in_by_break_glass if {
	some failure in ["missing", "failed", "two_credentials", "wrong_issuer"]
	document := example.access_with({
		"identity": null,
		"authentication": {"failure": failure, "detail": ""},
		"grants": [break_glass],
	})
	decision := access.decision with input as document
		with data.lists.break_glass.lifts as ["access/identity_required", "skilltape/input_malformed"]
	decision.verdict == "deny"
}

test_fail_a_finding_that_cannot_be_read_is_not_lifted if {
	every finding in [{"message": "m"}, {"effect": "denied"}, "x", null] {
		_decided([break_glass], finding).verdict == "deny"
	}
}

test_fail_grants_that_cannot_be_read_deny if {
	every found in [null, {}, [{}], ["g-1"], [object.union(access_grant, {"kind": "all"})]] {
		decision := access.decision with input as object.union(example.access, {"grants": found})
		decision.verdict == "deny"
	}
	decision := access.decision with input as object.remove(example.access, {"grants"})
	decision.verdict == "deny"
}

test_success_what_is_observed_is_not_told_as_lifted if {
	decision := request.decision with input as example.request_with({"grants": [break_glass]})
		with data.skilltape.rules.request as {"a": {"findings": [denial]}}
		with data.lists.break_glass.lifts as ["request/a"]
		with data.lists.observe.rules as ["request/a"]
	decision.observed.verdict == "deny"
	not decision.lifted
}

test_success_shipped_break_glass_leaves_secrets_and_ownership_alone if {
	every rule in ["request/findings_listed", "request/owner_only", "access/list_closed"] {
		not rule in data.lists.break_glass.lifts
	}
}

_decided(held, finding) := decision if {
	decision := request.decision with input as example.request_with({"grants": held})
		with data.skilltape.rules.request as {"a": {"findings": [finding]}}
		with data.lists.break_glass.lifts as ["request/a"]
}
