# METADATA
# title: Whoever looks says why
# description: |
#   A reason has at least `lists.console.limits.reason_min_chars` characters beside white space at its ends. Being shown
#   what is held needs none: it is masked, and whoever decides about it says why then.
# scope: package
# schemas:
#   - input: schema.console.input
#   - data.lists.console: schema.operators.list
package skilltape.rules.console.reason_given

findings contains {"message": "Say why you look, in words that somebody else understands later."} if {
	input.action != "approvals"
	count(trim_space(input.reason)) < data.lists.console.limits.reason_min_chars
}
