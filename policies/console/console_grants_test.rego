package skilltape.console_grants_test

import data.skilltape.console
import data.skilltape.lib.example_test as example

offer := {"groups": ["staff"], "connections": ["cl*"], "quorum": 1, "open_minutes": 60, "grant_minutes": 120}

test_success_what_is_offered_can_be_asked_for_without_being_an_operator if {
	decision := _decision({}, [offer])
	decision.verdict == "allow"
	decision.terms == {"quorum": 1, "open_minutes": 60, "grant_minutes": 120, "approvers": []}
}

test_success_of_several_offers_the_strictest_counts if {
	strict := object.union(offer, {"quorum": 2, "open_minutes": 90, "grant_minutes": 60, "approvers": ["owners"]})
	_decision({}, [offer, strict]).terms == {
		"quorum": 2,
		"open_minutes": 60,
		"grant_minutes": 60,
		"approvers": [["owners"]],
	}
}

test_fail_what_is_not_offered if {
	every change in [{"connection": "sandbox"}, {"skill": "pdf"}, {"model": "claude-opus-5-5"}] {
		_decision({"grant": object.union(_grant, change)}, [offer]).verdict == "deny"
	}
	_decision({}, []).verdict == "deny"
	_decision({}, [object.union(offer, {"groups": ["other"]})]).verdict == "deny"
	_decision({"person": null}, [object.remove(offer, {"groups"})]).verdict == "deny"
}

test_fail_break_glass_for_longer_than_its_list_gives if {
	every minutes in [61, 100000] {
		_decision({"action": "break_glass", "grant": object.union(_grant, {"minutes": minutes})}, []).verdict == "deny"
	}
	decision := _decision({"action": "break_glass", "grant": _grant}, [])
	decision.verdict == "allow"
	decision.terms.quorum == 1
	decision.persons == [{"issuer": "https://idp.example", "subject": "u-9"}]
}

test_fail_terms_that_cannot_be_used_let_nobody_ask if {
	every change in [{"quorum": 0}, {"quorum": "1"}, {"grant_minutes": 0}, {"open_minutes": null}, {"approvers": "x"}] {
		_decision({}, [object.union(offer, change)]).verdict == "deny"
	}
}

_grant := {"connection": "claude", "skill": "", "model": "", "minutes": 60}

_document(change) := object.union(example.console, object.union({"action": "ask", "grant": _grant}, change))

_decision(change, offers) := decision if {
	operator := {
		"actions": ["break_glass"],
		"users": ["ada"],
		"person": {"issuer": "https://idp.example", "subject": "u-9"},
	}
	decision := console.decision with input as _document(change)
		with data.lists.access_requests.rules as offers
		with data.lists.console.operators as [operator]
}
