# METADATA
# title: What a message may repeat of a request
# description: |
#   Messages go to callers, terminals and logs. A name is repeated only when it is short and of plain characters, so
#   that no message carries a prompt, a secret or a control sequence. Messages are made for every request, also where no
#   rule fires, so there is no regular expression here: in WebAssembly it is compiled anew each time.
package skilltape.lib.shown

# METADATA
# description: The name in quotes, or words in its place.
name(text) := $"\"{text}\"" if {
	_is_name(text)
} else := "of an unusual form"

# METADATA
# description: |
#   Of many names only some: a body can name thousands of things that are refused, and a finding for each would take long.
#   More than a decision gives reasons for, so that it says that there are others.
few(names) := names if {
	count(names) <= _few_max
} else := array.slice([name | some name in names], 0, _few_max)

# METADATA
# description: True where `few` leaves names out.
are_many(names) if count(names) > _few_max

_few_max := 64

# METADATA
# description: A short sentence of the gateway's own parts as it is, or nothing.
sentence(text) := text if {
	_is_plain(text, 200, " .,:;'()/_-")
} else := ""

_is_name(text) if _is_plain(text, 80, "._:/@+-")

_letters_and_digits := "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

# Begins with a letter or digit, and nothing is left when those and the other characters are taken away.
_is_plain(text, max_chars, others) if {
	count(text) <= max_chars
	text != ""
	trim_left(substring(text, 0, 1), _letters_and_digits) == ""
	trim_left(text, concat("", [_letters_and_digits, others])) == ""
}
