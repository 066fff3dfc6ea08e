# METADATA
# title: Whoever looks says why
# description: A reason has at least `lists.console.limits.reason_min_chars` characters beside white space at its ends.
# scope: package
# schemas:
#   - input: schema.console.input
#   - data.lists.console: schema.operators.list
package skilltape.rules.console.reason_given

findings contains {"message": "Say why you look, in words that somebody else understands later."} if {
	count(trim_space(input.reason)) < data.lists.console.limits.reason_min_chars
}
