#!/bin/sh
# The software bill of materials of this build, as SPDX 2.3 in JSON.
#
# usage: share/packaging/sbom.sh VERSION
#
# The versions are those of the libraries with which a build here is linked;
# which of them are linked how is in share/packaging/licences.
set -eu
version=${1:?usage: sbom.sh VERSION}
here=$(dirname "$0")
# shellcheck source=share/packaging/description
. "$here/description"
date=$(date -u -d "@${SOURCE_DATE_EPOCH:-$(date +%s)}" +%Y-%m-%dT%H:%M:%SZ)

# pkg-config's name   SPDX licence   where it comes from
libraries='
openssl         Apache-2.0                  https://www.openssl.org/
ncursesw        X11                         https://invisible-island.net/ncurses/
inih            BSD-3-Clause                https://github.com/benhoyt/inih
yaml-0.1        MIT                         https://github.com/yaml/libyaml
libevent        BSD-3-Clause                https://libevent.org/
jansson         MIT                         https://github.com/akheron/jansson
sqlite3         blessing                    https://www.sqlite.org/
'

package() {
	printf '{"SPDXID":"SPDXRef-%s","name":"%s","versionInfo":"%s","downloadLocation":"%s",' "$1" "$2" "$3" "$5"
	printf '"filesAnalyzed":false,"licenseConcluded":"%s","licenseDeclared":"%s",' "$4" "$4"
	printf '"copyrightText":"NOASSERTION"}'
}

# A part of the service where it is built with it.
if pkg-config --exists rdkafka; then
	libraries="${libraries}rdkafka         BSD-2-Clause                https://github.com/confluentinc/librdkafka
"
fi

printf '{"spdxVersion":"SPDX-2.3","dataLicense":"CC0-1.0","SPDXID":"SPDXRef-DOCUMENT",'
printf '"name":"%s-%s","documentNamespace":"https://propseal.invalid/spdx/%s-%s",' \
    "$name" "$version" "$name" "$version"
printf '"creationInfo":{"created":"%s","creators":["Tool: propseal-sbom"]},"packages":[\n' "$date"
package "$name" "$name" "$version" "$license" NOASSERTION
relations="{\"spdxElementId\":\"SPDXRef-DOCUMENT\",\"relationshipType\":\"DESCRIBES\",\"relatedSpdxElement\":\"SPDXRef-$name\"}"
while read -r library licence home; do
	[ -n "$library" ] || continue
	found=$(pkg-config --modversion "$library")
	printf ',\n'
	package "$library" "$library" "$found" "$licence" "$home"
	relations="$relations,
{\"spdxElementId\":\"SPDXRef-$name\",\"relationshipType\":\"DEPENDS_ON\",\"relatedSpdxElement\":\"SPDXRef-$library\"}"
done <<END
$libraries
END
printf '],\n"relationships":[\n%s]}\n' "$relations"
