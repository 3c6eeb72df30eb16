# Completion of propseal for fish: what fits is asked of `propseal __complete`.

function __propseal_complete
	set -l words (commandline -opc)
	set -l token (commandline -ct)
	set -l program $words[1]
	set -l front ''
	set -e words[1]
	# By standard input: a word may be a passphrase, which ps(1) must not show.
	for line in (printf '%s\0' $words $token | $program __complete - 2>/dev/null)
		set -l rest (string sub -s (math 1 + (string length -- "$front")) -- "$token")
		switch $line
		case ':front *'
			set front (string sub -s 8 -- $line)
		case ':nospace'
		case ':files'
			for name in (__fish_complete_path "$rest")
				echo "$front$name"
			end
		case ':folders'
			for name in (__fish_complete_directories "$rest")
				echo "$front$name"
			end
		case ':command *'
			# What stands behind --, as if it stood alone.
			set -l at (math 1 + (string sub -s 10 -- $line))
			set -l command
			test $at -le (count $words); and set command $words[$at..-1]
			complete -C (string join ' ' -- (string escape -- $command) $token)
		case '*'
			echo "$front$line"
		end
	end
end

complete -c propseal -e
complete -c propseal -f -a '(__propseal_complete)'
