#!/usr/bin/env bash
# Installs the system packages that are missing, where this user may; elsewhere says in one line what stays missing.
set -u

declare -A package_of=([flite]=flite [espeak-ng]=espeak-ng [chromium]=chromium [pdftotext]=poppler-utils)
missing=()
for program in flite espeak-ng chromium pdftotext; do
  command -v "$program" >/dev/null 2>&1 || missing+=("${package_of[$program]}")
done
# Debian keeps the server's programs out of PATH. The tests start a server of their own with them.
command -v initdb >/dev/null 2>&1 || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql)
# Debian puts the venv module into a package of its own; other Pythons bring it.
python=${PYTHON:-$(command -v python3.11 || command -v python3)}
"$python" -c 'import venv, ensurepip' 2>/dev/null || missing+=(python3-venv)
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo -n)
if command -v apt-get >/dev/null 2>&1 && { [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null; }; then
  echo "Installing system packages: ${missing[*]}"
  if "${as_root[@]}" apt-get -qq update >/dev/null 2>&1 &&
     DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get -qq install --yes --no-install-recommends "${missing[@]}" >/dev/null 2>&1; then
    exit 0
  fi
fi
echo "Not installed: ${missing[*]} (to mend, as root: apt-get install ${missing[*]}); what does not need them goes on"
exit 0
