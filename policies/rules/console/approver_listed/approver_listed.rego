# METADATA
# title: Approvers are of the groups that policy names
# description: |
#   `input.approvers` has a list of groups for each rule that says who approves. Whoever decides is in one of each list: by
#   the groups of their account, by those of their token where it is of the provider at which people log in to the console,
#   or by `approves` of their entry in `lists.console.operators`. An account whose entry has no `approves` counts for all,
#   because policy names groups of tokens; a person in the console does not.
# scope: package
# schemas:
#   - input: schema.console.input
#   - data.lists.console: schema.operators.list
package skilltape.rules.console.approver_listed

import data.skilltape.lib.console

findings contains {"message": message} if {
	some groups in input.approvers
	count(groups) > 0
	not _counts_for(groups)
	input.action != "approvals"
	message := $"This needs an approver of one of these groups: {concat(", ", sort(groups))}."
}

_counts_for(groups) if {
	some group in console.approver_groups
	group in groups
}

_counts_for(_) if {
	input.operator.kind == "os"
	some entry in console.entries
	not entry.approves
}

_counts_for(groups) if {
	some entry in console.entries
	some group in entry.approves
	group in groups
}
