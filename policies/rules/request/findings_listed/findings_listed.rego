# METADATA
# title: Requests that hold what a list names are refused or held
# description: |
#   Each of `lists.findings.rules` names `types` of secrets and personal data, and the `effect` when a request holds
#   `min_count` or more of one of them (1 without it), in some `places` or anywhere, for whom its `when` says. A request
#   that was not searched whole has the same effect, unless `incomplete` allows it.
# scope: package
# schemas:
#   - input: schema.request.input
#   - data.lists.findings: schema.findings.list
# custom:
#   findings: lists.findings.rules
package skilltape.rules.request.findings_listed

import data.skilltape.lib.when

findings contains {"effect": rule.effect, "message": message} if {
	some rule in _rules
	types := {type |
		some type in rule.types
		sum(_counts(rule, type)) >= object.get(rule, "min_count", 1)
	}
	count(types) > 0
	message := $"The request holds what may not be sent through this gateway: {concat(", ", sort(types))}."
}

findings contains {"effect": rule.effect, "message": message} if {
	some rule in _rules
	not _is_enough(rule)
	message := "The request is too long to be searched whole for what may not be sent through this gateway."
}

_rules contains rule if {
	some rule in data.lists.findings.rules
	when.is_met(object.get(rule, "when", {}))
}

_counts(rule, type) := [finding.count |
	some finding in input.findings
	finding.type == type
	_is_in(rule, finding.place)
]

_is_in(rule, _) if not rule.places

_is_in(rule, place) if place in rule.places

_is_enough(rule) if rule.incomplete == "allow"

_is_enough(_) if input.findings_complete
