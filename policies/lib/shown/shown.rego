# METADATA
# title: What a message may repeat of a request
# description: |
#   Messages go to callers, terminals and logs. A name is repeated only when it is short and of plain characters, so
#   that no message carries a prompt, a secret or a control sequence.
package skilltape.lib.shown

# METADATA
# description: The name in quotes, or words in its place.
name(text) := $"\"{text}\"" if {
	_is_name(text)
} else := "of an unusual form"

# METADATA
# description: A short sentence of the gateway's own parts as it is, or nothing.
sentence(text) := text if {
	count(text) <= 200
	regex.match(`^[A-Za-z0-9][A-Za-z0-9 .,:;'()/_-]*$`, text)
} else := ""

_is_name(text) if {
	count(text) <= 80
	regex.match(`^[A-Za-z0-9][A-Za-z0-9._:/@+-]*$`, text)
}
