# METADATA
# title: Only the groups that a request waits for decide about it
# description: |
#   What is held names `approvers`, groups of people. Whoever decides in the console is in one of them by their token. An
#   account of the operating system has no such groups: the list of operators alone says what it may do.
# scope: package
# schemas:
#   - input: schema.console.input
package skilltape.rules.console.approver_group

findings contains {"message": message} if {
	input.action == "decide"
	input.operator.kind == "person"
	count(input.approvers) > 0
	not _is_approver
	message := $"You are in none of the groups that decide about this: {concat(", ", input.approvers)}."
}

_is_approver if {
	some group in input.operator.groups
	group in input.approvers
}
