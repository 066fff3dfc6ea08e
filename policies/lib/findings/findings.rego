# METADATA
# title: The findings of all rules of a folder
# description: |
#   A rule is a package with a set named `findings`. Its name comes from its place, so that two rules cannot share one
#   and none can speak in the name of another.
package skilltape.lib.findings

# METADATA
# description: |
#   Each finding with the name of its rule. `rules` is the folder as a document: rule name to package. A rule without
#   a set of findings gives a finding that no decision can read, which is the strictest there is.
named(stage, rules) := {entry |
	some rule, pkg in rules
	not endswith(rule, "_test")
	some finding in _findings(pkg)
	entry := {"rule": concat("/", [stage, rule]), "finding": finding}
}

# METADATA
# description: A finding when the input document has faults, and nothing otherwise.
malformed_input(faults) := {
	"rule": "skilltape/input_malformed",
	"finding": {"message": concat("", [
		"The gateway could not describe this request to its policy; missing or wrong: ",
		concat(", ", sort(faults)),
		".",
	])},
} if {
	count(faults) > 0
}

# METADATA
# description: A finding when the lists of the policy have faults, and nothing otherwise.
malformed_lists(faults) := {
	"rule": "skilltape/lists_malformed",
	"finding": {"message": concat("", [
		"The lists of the policy are not usable; missing or wrong: ",
		concat(", ", sort(faults)),
		".",
	])},
} if {
	count(faults) > 0
}

# METADATA
# description: |
#   What is said of named findings, always in the same order. Of many only some are said: a body can name thousands of
#   things that are denied, and sorting takes time that grows with the square of their number. How many others there are
#   is not known: rules make no finding for each of so many either.
reasons(entries) := sort(said) if {
	said := _said(entries)
	count(said) <= _reasons_max
} else := array.concat(sort(array.slice([reason | some reason in _said(entries)], 0, _reasons_max)), [_more])

_more := {"rule": "skilltape/more_reasons", "message": "There are more reasons like these."}

_reasons_max := 32

_said(entries) := {{"rule": entry.rule, "message": _message(entry.finding)} | some entry in entries}

_findings(pkg) := pkg.findings if {
	_is_collection(pkg.findings)
} else := {{"message": "This rule of the policy is not usable: it has no set named findings."}}

_is_collection(value) if is_set(value)

_is_collection(value) if is_array(value)

_message(finding) := finding.message if {
	is_string(finding.message)
} else := "A rule of the policy applies."
