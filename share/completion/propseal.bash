# Completion of propseal for bash: what fits is asked of `propseal __complete`.
# Written for bash 3.2 and later, without the helpers of the bash-completion
# project.

# Offer what `compgen ARGUMENT...` makes of the word behind $front.
_propseal_files()
{
	local line
	compopt -o filenames 2>/dev/null
	while IFS= read -r line; do
		line=$front$line
		COMPREPLY+=("${line#"$there"}")
	done < <(compgen "$@" -- "${full#"$front"}" 2>/dev/null)
}

_propseal()
{
	local -a w=()
	local cur=${2-} full there front='' glue='' line i t

	# bash splits words at = @ and : too: put together what belongs together.
	for ((i = 1; i <= COMP_CWORD; i++)); do
		t=${COMP_WORDS[i]}
		case $t in
		[=:]*) glue=1 ;;
		esac
		if [ -n "$glue" ] && [ ${#w[@]} -gt 0 ]; then
			w[${#w[@]} - 1]+=$t
		else
			w+=("$t")
		fi
		glue=
		case $t in
		*[=:@]) glue=1 ;;
		esac
	done
	[ ${#w[@]} -gt 0 ] || return 0

	# Whole words are offered, less what is there already.
	full=${w[${#w[@]} - 1]}
	if [ $# -lt 2 ]; then
		cur=${COMP_WORDS[COMP_CWORD]}
		case $cur in
		= | : | @ | =@) cur= ;;
		esac
	fi
	there=${full%"$cur"}
	full=${full#[\"\']} there=${there#[\"\']}
	full=${full//\\/}
	w[${#w[@]} - 1]=$full

	# By standard input: a word may be a passphrase, which ps(1) must not show.
	while IFS= read -r line; do
		case $line in
		:front\ *) front=${line#:front } ;;
		:nospace) compopt -o nospace 2>/dev/null ;;
		:files) _propseal_files -f ;;
		:folders) _propseal_files -d ;;
		:command\ *)
			[ "${line#:command }" -lt $((${#w[@]} - 1)) ] || _propseal_files -c
			_propseal_files -f
			;;
		*)
			line=$front${line%%$'\t'*}
			case $line in
			"$full"*) COMPREPLY+=("${line#"$there"}") ;;
			esac
			;;
		esac
	done < <(printf '%s\0' "${w[@]}" |
	    "${COMP_WORDS[0]/#\~\//$HOME/}" __complete - 2>/dev/null)
}
complete -F _propseal propseal
