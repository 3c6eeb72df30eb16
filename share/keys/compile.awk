# share/keys/*.keys -> the trie of core/secrets/keys.c, as C on standard output.
#
# A node's children stand side by side, in the order of their letters; `next`
# has a bit for each letter that has one.  Words are put in from their end.

function fail(text) {
	printf "%s:%d: %s\n", FILENAME, FNR, text >"/dev/stderr"
	failed = 1
	exit 1
}

BEGIN {
	letters = "abcdefghijklmnopqrstuvwxyz"
	value["secret"] = "KEY_SECRET"
	value["material"] = "KEY_MATERIAL"
	value["headers"] = "KEY_HEADERS"
	value["pair"] = "KEY_PAIR"
	value["opaque"] = "KEY_OPAQUE"
	value["public"] = "KEY_PUBLIC"
	nodes = 1
}

/^#/ || NF == 0 { next }

{
	if (!($1 in value))
		fail("no class of keys: " $1)
	word = $2
	begins = word ~ /^\./
	gsub(/\./, "", word)
	if (word !~ /^[a-z]+$/)
		fail("not a pattern: " $2)
	at = 0
	for (i = length(word); i > 0; i--) {
		c = substr(word, i, 1)
		if (!((at, c) in child)) {
			child[at, c] = nodes++
		}
		at = child[at, c]
	}
	if (at in class)
		fail("twice: " $2)
	class[at] = value[$1]
	word_begins[at] = begins
}

END {
	if (failed)
		exit 1
	print "static const struct key_node key_nodes[] = {"
	queue[0] = 0
	tail = 1
	for (head = 0; head < tail; head++) {
		node = queue[head]
		first = tail
		mask = 0
		bit = 1
		for (i = 1; i <= 26; i++) {
			c = substr(letters, i, 1)
			if ((node, c) in child) {
				queue[tail++] = child[node, c]
				mask += bit
			}
			bit *= 2
		}
		printf "\t{ %d, %d, %s, %d },\n", mask, first,
		    node in class ? class[node] : "KEY_OTHER", word_begins[node] + 0
	}
	print "};"
}
