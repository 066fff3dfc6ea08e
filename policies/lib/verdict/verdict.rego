# METADATA
# title: From findings to a verdict
# description: |
#   Deny wins over hold, hold over allow, whatever the order of the rules. Only the effect `hold` holds: a finding with
#   any other effect, or none, denies.
package skilltape.lib.verdict

import data.skilltape.lib.approval
import data.skilltape.lib.findings
import data.skilltape.lib.grants
import data.skilltape.lib.observe

# METADATA
# description: |
#   The decision document of `access` and `request` for named findings. A denial has the status that its finding asks
#   for, else 403; of several the lowest is given, so that 401 comes first. `observed` says what the findings that are
#   not enforced would decide, `lifted` which ones do not count because of a grant.
decide(entries) := _without_lifted(entries) if {
	count(input.grants) > 0
} else := _without_observed(entries)

_without_lifted(entries) := _without_observed(entries) if {
	count({entry | some entry in entries; grants.is_lifted(entry)}) == 0
} else := object.union(_without_observed(entries - lifted), {"lifted": {"grants": ids, "reasons": findings.reasons(lifted)}}) if {
	lifted := {entry | some entry in entries; grants.is_lifted(entry)}
	ids := sort({id | some entry in lifted; some id in grants.lifting(entry)})
}

_without_observed(entries) := _decide(entries) if {
	count(_observed(entries)) == 0
} else := object.union(_decide(entries - observed), {"observed": object.remove(_decide(observed), {"status", "approval"})}) if {
	observed := _observed(entries)
}

_observed(entries) := {entry | some entry in entries; observe.is_observed(entry)}

_decide(entries) := {"verdict": "deny", "status": status, "reasons": findings.reasons(denials)} if {
	denials := {entry | some entry in entries; not _holds(entry)}
	count(denials) > 0
	status := min({_status(entry) | some entry in denials})
} else := {
	"verdict": "hold",
	"reasons": findings.reasons(entries | _malformed_terms(entries)),
	"approval": approval.terms(entries),
} if {
	count(entries) > 0
} else := {"verdict": "allow", "reasons": []}

# It is held all the same, by the terms of the list.
_malformed_terms(entries) := {entry |
	some malformed in approval.malformed(entries)
	entry := {"rule": "skilltape/approval_malformed", "finding": {"message": concat("", [
		"What an approval takes is said in a way that cannot be read, so that of lists.approval counts: ",
		malformed.rule,
		".",
	])}}
}

_holds(entry) if entry.finding.effect == "hold"

_status(entry) := entry.finding.status if {
	is_number(entry.finding.status)
} else := 403
