#compdef propseal
# Completion of propseal for zsh: what fits is asked of `propseal __complete`.

_propseal() {
	local program=${(Q)words[1]/#\~\//$HOME/} front line command ret=1
	local -a files list space

	# By standard input: a word may be a passphrase, which ps(1) must not show.
	for line in "${(@f)$(print -rN -- "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" |
	    $program __complete - 2>/dev/null)}"; do
		case $line in
		'') ;;
		:front\ *) front=${line#:front } ;;
		:nospace) space=(-S '') ;;
		:files) files=(_files) ;;
		:folders) files=(_files -/) ;;
		:command\ *) command=${line#:command } ;;
		*) list+=("${${line%%$'\t'*}//:/\\:}${${(M)line%%$'\t'*}/$'\t'/:}") ;;
		esac
	done
	if [[ -n $command ]]; then
		words=("${(@)words[command + 2,-1]}")
		(( CURRENT -= command + 1 ))
		_normal
		return
	fi
	[[ -z $front ]] || compset -P "${(b)front}" || return 1
	(( $#list == 0 )) || _describe -o -t values value list "${space[@]}" && ret=0
	(( $#files == 0 )) || "${files[@]}" && ret=0
	return ret
}

if [[ $funcstack[1] = _propseal ]]; then
	_propseal "$@"
else
	compdef _propseal propseal
fi
