#!/usr/bin/env bash
# Installs the real platforms that the tests of connections start, and what stands in front of them: WordPress, nginx
# and Varnish from Debian, Ghost from the npm registry.
# Does nothing where everything is there. Ghost is built once, in about five minutes, into a folder outside the
# repository: ${XDG_CACHE_HOME:-~/.cache}/product-wizard-tests/ghost-VERSION.
set -euo pipefail

GHOST=5.130.6
cache="${XDG_CACHE_HOME:-$HOME/.cache}/product-wizard-tests"

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

install_packages() {
    local missing=()
    [ -f /usr/share/wordpress/wp-load.php ] || missing+=(wordpress)
    command -v php >/dev/null || missing+=(php-cli)
    php -m 2>/dev/null | grep -qi '^mysqli$' || missing+=(php-mysql)
    [ -x /usr/sbin/nginx ] || missing+=(nginx)
    [ -x /usr/sbin/varnishd ] || missing+=(varnish)
    [ -x /usr/sbin/mariadbd ] || missing+=(mariadb-server)
    command -v node >/dev/null || missing+=(nodejs)
    command -v npm >/dev/null || missing+=(npm)
    command -v make >/dev/null && command -v g++ >/dev/null || missing+=(build-essential)
    [ "${#missing[@]}" -gt 0 ] || return 0
    local package services=()
    for package in "${missing[@]}"; do
        case $package in
            nginx) services+=(nginx) ;;
            varnish) services+=(varnish varnishncsa) ;;
            mariadb-server) services+=(mariadb) ;;
        esac
    done
    echo "installing: ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    as_root apt-get update -qq || echo "no new package lists; going on with the old ones"
    # What is installed here is started by the tests alone, never by the machine: no service of Debian's is wanted.
    as_root env RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
    [ "${#services[@]}" = 0 ] || as_root systemctl disable --quiet "${services[@]}" 2>/dev/null || true
}

# The published package names three things that cannot be installed from it: development dependencies at git addresses,
# scripts of its own workspace, and a resolution that points into its own archive.
rewrite_package() {
    node -e '
        const fs = require("fs");
        const about = JSON.parse(fs.readFileSync("package.json", "utf8"));
        delete about.devDependencies;
        delete about.scripts;
        const overrides = {};
        for (const [name, version] of Object.entries(about.resolutions ?? {})) {
            if (version.startsWith("file:")) continue;
            overrides[name] = name in about.dependencies ? `$${name}` : version;
        }
        delete about.resolutions;
        about.overrides = overrides;
        for (const group of [about.dependencies, about.optionalDependencies ?? {}])
            for (const [name, version] of Object.entries(group))
                if (version.startsWith("file:") && !fs.existsSync(version.slice(5))) delete group[name];
        fs.writeFileSync("package.json", JSON.stringify(about, null, 2));
    '
}

install_ghost() {
    local done="$cache/ghost-$GHOST" work
    [ ! -f "$done/.built" ] || return 0
    echo "building Ghost $GHOST: once, about five minutes"
    mkdir -p "$cache"
    work=$(mktemp -d "$cache/building.XXXXXX")
    (
        cd "$work"
        npm pack --silent "ghost@$GHOST" >/dev/null
        mkdir app
        tar xzf "ghost-$GHOST.tgz" -C app --strip-components=1
        cd app
        rewrite_package
        npm install --omit=dev --legacy-peer-deps --no-audit --no-fund --loglevel=error
        touch .built
    )
    # Whole or not at all: two builds at once do no harm, the second one's folder takes the place of the first's.
    rm -rf "$done"
    mv "$work/app" "$done"
    rm -rf "$work"
}

install_packages
install_ghost
