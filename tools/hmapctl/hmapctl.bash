# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Completion of hmapctl's command line, for bash to source.  What subcommands,
# options and maps there are is asked of hmapctl.

_hmapctl_subcommands()
{
	hmapctl help | sed -n 's/^  \([a-z]*\) .*/\1/p'
}

_hmapctl_options()	# SUBCOMMAND
{
	hmapctl help "$1" 2>/dev/null | sed '/^$/q' | grep -o -e '--[a-z-]*'
	echo --help
}

# A name may have spaces in it, the columns behind it have none.
_hmapctl_maps()
{
	hmapctl list 2>/dev/null | sed -E '1d; /^id:/d; s/( +[^ ]+){6}$//; s/ +$//'
}

_hmapctl_files()	# PREFIX [START]
{
	local file

	while IFS= read -r file; do
		[[ ! -d $file ]] || file+=/
		printf '%s%s\n' "$1" "$file"
	done < <(compgen -f -- "${2-}")
}

_hmapctl_values()	# OPTION
{
	case $1 in
	--key)	printf '%s\n' u32 u64 string bytes: ;;
	--elem)	printf '%s\n' none u32 u64 bytes: var: ;;
	--output)	printf '%s\n' text hex int ;;
	esac
}

# What may stand where $word does, or more than that.
_hmapctl_choices()
{
	local subcommand=${COMP_WORDS[1]} nr=0 i

	for ((i = 2; i < COMP_CWORD; i++)); do
		[[ ${COMP_WORDS[i]} == [-=@]* ]] || ((++nr))
	done
	case $previous in
	--key|--elem|--output)
		_hmapctl_values "$previous"
		return ;;
	-o|--to)
		_hmapctl_files '' "$word"
		return ;;
	esac
	case $COMP_CWORD:$word:$subcommand:$nr in
	1:*)		_hmapctl_subcommands ;;
	*:-*)		_hmapctl_options "$subcommand" ;;
	*:@*)		_hmapctl_files @ "${word#@}" ;;
	*:list:*|*:create:*) ;;
	*:help:0)	_hmapctl_subcommands; echo values ;;
	*:load:1|*:save:1|*:restore:0)
			_hmapctl_files '' "$word" ;;
	*:picture:0)	if [[ ${COMP_WORDS[*]} == *" "--@(html|animate)" "* ]]; then
				_hmapctl_files '' "$word"
			else
				_hmapctl_maps
			fi ;;
	*:chown:1)	compgen -u ;;
	*:0)		_hmapctl_maps ;;
	esac
}

# Readline makes a word of the '=' in --key=u32.
_hmapctl()
{
	local word=$2 previous=$3 line

	[[ $previous != = ]] || previous=${COMP_WORDS[COMP_CWORD - 2]}
	COMPREPLY=()
	while IFS= read -r line; do
		[[ $line != "$word"* ]] || COMPREPLY+=("$(printf %q "$line")")
	done < <(_hmapctl_choices)
	[[ ${COMPREPLY[*]} != *[:/] ]] || compopt -o nospace
}

complete -F _hmapctl hmapctl
