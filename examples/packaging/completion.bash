# bash completion of the programs of vidifilter: their options, as --help says them, and files.
_vidi_programs() {
  local current=${COMP_WORDS[COMP_CWORD]}
  COMPREPLY=()
  [[ $current == -* ]] || return 0 # files, as by default
  mapfile -t COMPREPLY < <(compgen -W "$("$1" --help 2>/dev/null | grep -oE -- '--[a-z][a-z-]+')" -- "$current")
}
complete -o default -F _vidi_programs vidi-ask vidi-watch vidi-export vidi-bench
