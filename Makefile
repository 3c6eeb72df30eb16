# propseal.  `make` builds build/propseal; `make help` lists the rest.

VERSION := 0.1.0
# That of the tarball, or of the work tree.
COMMIT := $(shell grep -E '^[0-9a-f]+$$' share/packaging/commit || git rev-parse --short HEAD 2>/dev/null)
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBEXECDIR ?= $(PREFIX)/libexec/propseal
MANDIR ?= $(PREFIX)/share/man
DATADIR ?= $(PREFIX)/share/propseal
DOCDIR ?= $(PREFIX)/share/doc/propseal
UNITDIR ?= $(PREFIX)/lib/systemd/system
BASHCOMPDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHCOMPDIR ?= $(PREFIX)/share/zsh/site-functions
FISHCOMPDIR ?= $(PREFIX)/share/fish/vendor_completions.d
PKG_CONFIG ?= pkg-config
BUILD ?= build$(if $(SAN),-san)
CFLAGS ?= -O2 -g
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-4s %s\n' $(1) $@)

# --- flags ---

# $(call try,FLAGS): FLAGS if this compiler takes them, else nothing.
try = $(shell printf 'int main(void){return 0;}' | \
	$(CC) -Werror $(1) -x c -S -o - - >/dev/null 2>&1 && printf '%s' '$(1)')

# $(call try_link,FLAG,ELSE): FLAG if a program links with it, else ELSE.
try_link = $(shell printf 'int main(void){return 0;}' | \
	$(CC) -fPIE $(1) -x c -o /dev/null - >/dev/null 2>&1 && printf '%s' '$(1)' || printf '%s' '$(2)')

WARN := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes

# clang up to 15 wants to be asked twice before it zeroes variables.
ZERO := $(call try,-ftrivial-auto-var-init=zero)
ifeq ($(ZERO),)
ZERO := $(call try,-enable-trivial-auto-var-init-zero-knowing-it-will-be-removed-from-clang \
	-ftrivial-auto-var-init=zero)
endif
HARDEN := -fPIE -fstack-protector-strong $(ZERO) \
	$(call try,-fstack-clash-protection) $(call try,-fcf-protection=full)
HARDEN_LINK := $(if $(STATIC),$(call try_link,-static-pie,-static),-pie) -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed

SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
# Fortify needs an optimising build, and would hide faults from the sanitizers.
FORTIFY := $(if $(SAN),,$(if $(filter -O1 -O2 -O3 -Os,$(CFLAGS)),-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3))

# Expanded in recipes, so that what `make deps` has just installed is seen.
LIBS_OF = $(PKG_CONFIG) $(if $(STATIC),--static) --libs
CURSES_CFLAGS = $(shell $(PKG_CONFIG) --cflags ncursesw 2>/dev/null)
CURSES_LIBS = $(shell $(LIBS_OF) ncursesw tinfo 2>/dev/null || \
	$(LIBS_OF) ncursesw 2>/dev/null || echo -lncursesw)
CRYPTO_LIBS ?= -lcrypto
# Statically for the same reason as the client's libraries below.
YAML_LIBS = $(or $(filter /%,$(shell $(CC) -print-file-name=libyaml.a)),-lyaml)
INI_CFLAGS = $(shell $(PKG_CONFIG) --cflags inih 2>/dev/null)
INI_LIBS = $(shell $(LIBS_OF) inih 2>/dev/null || echo -linih)

# What the registry's client needs is linked statically where the archives are
# installed (Debian's -dev packages hold them): loading more shared libraries
# would make every `propseal --version` a third slower.  A distribution that
# wants them shared says CLIENT_LINK=shared.
CLIENT_PKGS := event_openssl event_pthreads event_extra event_core jansson
CLIENT_ARCHIVES = $(foreach a,$(CLIENT_PKGS),$(filter /%,$(shell $(CC) -print-file-name=lib$(a).a)))
CLIENT_SHARED = $(addprefix -l,$(CLIENT_PKGS))
CLIENT_LIBS = $(if $(filter shared,$(CLIENT_LINK)),$(CLIENT_SHARED),$(if $(word 5,$(CLIENT_ARCHIVES)),\
	$(CLIENT_ARCHIVES),$(CLIENT_SHARED))) -lssl -lpthread
# The service's are shared: it starts once.
REGISTRY_LIBS = $(CLIENT_SHARED) -lsqlite3 $(RDKAFKA_LIBS) -lssl -lpthread -lm
# The Kafka log (store.log=kafka) is a part of the service where librdkafka is
# installed; KAFKA= leaves it out, as a static build does.
KAFKA ?= $(if $(STATIC),,$(shell $(PKG_CONFIG) --exists rdkafka 2>/dev/null && echo 1))
KAFKA := $(KAFKA)
RDKAFKA_LIBS := $(if $(KAFKA),-lrdkafka)
KAFKA_WITHOUT := $(if $(KAFKA),src/registry/kafka/none.c,\
	$(filter-out %/none.c %/options.c,$(wildcard src/registry/kafka/*.c)))

ALL_CPPFLAGS = -D_GNU_SOURCE -DPROPSEAL_VERSION='"$(VERSION)"' -Icore -Isrc -I. $(FORTIFY) $(CPPFLAGS)
ALL_CFLAGS = -std=c17 $(WARN) $(if $(WERROR),-Werror) $(HARDEN) $(if $(SAN),$(SANITIZE)) $(CFLAGS)
ALL_LDFLAGS = $(HARDEN_LINK) $(if $(SAN),$(SANITIZE)) $(LDFLAGS)
COMPILE = $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS)
LINK = $(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS)
# What is linked or archived, of a rule's prerequisites.
INPUTS = $(filter %.o,$^) $(filter %.a,$^)

# --- what is built ---

objects = $(patsubst %.c,$(BUILD)/%.o,$(1))

HEADERS := $(shell find core ui src -name '*.h') $(wildcard tests/tui/*.h)
CORE_OBJ := $(call objects,$(wildcard core/*/*.c))
UI_OBJ := $(call objects,$(wildcard ui/*.c))
SRC_OBJ := $(call objects,$(sort $(shell find src/cli -name '*.c')))
CLIENT_OBJ := $(call objects,$(wildcard src/client/*.c src/common/*.c))
REGISTRY_MAIN := $(BUILD)/src/registry/service/main.o
REGISTRY_OBJ := $(filter-out $(REGISTRY_MAIN),$(call objects,$(filter-out $(KAFKA_WITHOUT),\
	$(sort $(shell find src/registry -name '*.c')))))
# What each program and test takes from, in the linker's order.
ARCHIVES := $(BUILD)/libregistry.a $(BUILD)/libclient.a $(BUILD)/libcore.a
# The sanitizers' defaults, such as what curses keeps until exit.
SAN_OBJ := $(if $(SAN),$(BUILD)/tests/san_options.o)

SUPPORT_OBJ := $(call objects,$(wildcard tests/support/*.c))
UNIT_BIN := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(filter-out \
	$(if $(KAFKA),,%/test_kafka_mock.c),$(wildcard tests/unit/test_*.c)))
TUI_BIN := $(patsubst tests/tui/%.c,$(BUILD)/tests/tui/%,$(wildcard tests/tui/test_*.c))
TUI_HELP := $(call objects,$(filter-out tests/tui/test_%,$(wildcard tests/tui/*.c)))
BENCH_BIN := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/bench/bench_*.c))
BENCH_HELP := $(call objects,$(filter-out tests/bench/bench_% tests/bench/start_floor.c \
	tests/bench/slow_sync.c,$(wildcard tests/bench/*.c)))
SLOW_SYNC := $(BUILD)/tests/bench/slow_sync.so
START_FLOOR := $(BUILD)/tests/bench/start_floor
FUZZ_BIN := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/fuzz/fuzz_*.c))
HTTP_SERVER := $(BUILD)/tests/registry/http_server
SCRIPTS := $(wildcard tests/cli/test_*.sh tests/conformance/*.sh tests/registry/test_*.py)
TORTURE := $(wildcard tests/torture/*.sh)
SWEEP := $(addprefix $(BUILD)/tests/torture/,sweep rotation_sweep power_cut)

all: $(BUILD)/propseal $(BUILD)/propseal-registryd

$(BUILD)/propseal: $(SRC_OBJ) $(UI_OBJ) $(SAN_OBJ) $(BUILD)/libclient.a $(BUILD)/libcore.a
	$(call say,LINK)
	$(Q)$(LINK) -o $@ $(INPUTS) $(CLIENT_LIBS) $(CRYPTO_LIBS) $(CURSES_LIBS) $(YAML_LIBS) $(INI_LIBS)

# What `propseal registry serve` starts.
$(BUILD)/propseal-registryd: $(REGISTRY_MAIN) $(SAN_OBJ) $(ARCHIVES)
	$(call say,LINK)
	$(Q)$(LINK) -o $@ $(INPUTS) $(REGISTRY_LIBS) $(CRYPTO_LIBS)

$(BUILD)/libregistry.a: $(REGISTRY_OBJ) $(BUILD)/data/openapi.o
	$(call say,AR)
	$(Q)rm -f $@
	$(Q)$(AR) qcs $@ $(INPUTS)

$(BUILD)/libclient.a: $(CLIENT_OBJ)
	$(call say,AR)
	$(Q)rm -f $@
	$(Q)$(AR) qcs $@ $^

# Which keys hold secrets, as a trie.
$(BUILD)/data/key_nodes.inc: share/keys/compile.awk $(wildcard share/keys/*.keys)
	@mkdir -p $(@D)
	$(Q)awk -f share/keys/compile.awk share/keys/*.keys >$@.new && mv $@.new $@

$(BUILD)/core/secrets/keys.o: $(BUILD)/data/key_nodes.inc
$(BUILD)/core/secrets/keys.o: ALL_CPPFLAGS += -I$(BUILD)

$(BUILD)/libcore.a: $(CORE_OBJ)
	$(call say,AR)
	$(Q)rm -f $@
	$(Q)$(AR) qcs $@ $^

$(BUILD)/%.o: %.c $(BUILD)/flags
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -MMD -MP -c -o $@ $<

# The completion scripts are a part of the program, which prints them.
$(BUILD)/completion/%.inc: share/completion/propseal.%
	@mkdir -p $(@D)
	$(Q)sed -e 's/[\\"]/\\&/g' -e 's/.*/"&\\n"/' $< >$@

COMPLETION_INC := $(BUILD)/completion/bash.inc $(BUILD)/completion/zsh.inc $(BUILD)/completion/fish.inc
$(BUILD)/src/cli/completion.o: $(COMPLETION_INC)
$(BUILD)/src/cli/completion.o: ALL_CPPFLAGS += -I$(BUILD)
$(BUILD)/src/cli/main.o: $(BUILD)/commit $(BUILD)/libexecdir
$(BUILD)/src/cli/main.o: ALL_CPPFLAGS += $(CURSES_CFLAGS) -DPROPSEAL_COMMIT='"$(COMMIT)"' \
	-DPROPSEAL_LIBEXECDIR='"$(LIBEXECDIR)"'
$(UI_OBJ): ALL_CPPFLAGS += $(CURSES_CFLAGS)
$(BUILD)/src/cli/settings_file.o: ALL_CPPFLAGS += $(INI_CFLAGS)
$(BUILD)/tests/unit/%.o $(BUILD)/tests/support/%.o $(BUILD)/tests/fuzz/%.o: \
	ALL_CPPFLAGS += -Itests/support
$(BUILD)/tests/fuzz/fuzz_ini.o: ALL_CPPFLAGS += $(CURSES_CFLAGS)

# What is kept as data and built in: its bytes, as an array.
$(BUILD)/data/openapi.c: share/registry/openapi.json
	@mkdir -p $(@D)
	$(Q){ echo '#include <stddef.h>'; \
		echo 'extern const unsigned char openapi_data[];'; \
		echo 'extern const size_t openapi_data_size;'; \
		echo 'const unsigned char openapi_data[] = {'; \
		od -An -v -tu1 $< | sed 's/[0-9][0-9]*/&,/g'; echo '};'; \
		echo 'const size_t openapi_data_size = sizeof(openapi_data);'; } >$@.new && mv $@.new $@

$(BUILD)/data/openapi.o: $(BUILD)/data/openapi.c
	$(call say,CC)
	$(Q)$(COMPILE) -c -o $@ $<

# For compilers that have no libraries to link with.
objects: $(CORE_OBJ) $(UI_OBJ) $(SRC_OBJ) $(CLIENT_OBJ) $(REGISTRY_OBJ) $(REGISTRY_MAIN)
test-objects: $(call objects,$(filter-out tests/fuzz/% tests/san_options.c,$(wildcard tests/*/*.c)))

# Change when the flags do, so that another compiler or version rebuilds, and
# other libraries link anew what is compiled already.
$(BUILD)/flags: SAID = $(COMPILE)
$(BUILD)/link-flags: SAID = $(LINK) $(CLIENT_LIBS) $(REGISTRY_LIBS) $(CRYPTO_LIBS) $(CURSES_LIBS) $(YAML_LIBS) $(INI_LIBS)
$(BUILD)/flags $(BUILD)/link-flags: always
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(SAID))' | cmp -s - $@ || \
		printf '%s\n' '$(subst ','\'',$(SAID))' >$@

$(BUILD)/libregistry.a $(BUILD)/propseal $(BUILD)/propseal-registryd $(UNIT_BIN) $(TUI_BIN) $(BENCH_BIN) \
	$(START_FLOOR) $(SWEEP) $(HTTP_SERVER) $(FUZZ_BIN): $(BUILD)/link-flags

# Changes when propseal-registryd is to be installed elsewhere.
$(BUILD)/libexecdir: always
	@mkdir -p $(@D)
	@echo '$(LIBEXECDIR)' | cmp -s - $@ || echo '$(LIBEXECDIR)' >$@

$(BUILD)/commit: always
	@mkdir -p $(@D)
	@echo '$(COMMIT)' | cmp -s - $@ || echo '$(COMMIT)' >$@

# The parts of the interface that need no screen.
$(BUILD)/tests/test_outline: $(BUILD)/ui/filter.o $(BUILD)/ui/outline.o
$(BUILD)/tests/test_theme: $(BUILD)/ui/theme.o
$(BUILD)/tests/test_rank: $(BUILD)/ui/filter.o
$(BUILD)/tests/test_clipboard: $(BUILD)/ui/clipboard.o
$(BUILD)/tests/test_watch: $(BUILD)/ui/watch.o
$(BUILD)/tests/test_baseline: $(BUILD)/src/cli/audit/baseline.o
$(BUILD)/tests/test_findings: $(BUILD)/ui/findings.o $(BUILD)/ui/filter.o $(BUILD)/ui/outline.o

$(UNIT_BIN): $(BUILD)/tests/%: $(BUILD)/tests/unit/%.o $(SUPPORT_OBJ) $(SAN_OBJ) $(ARCHIVES)
	$(call say,LINK)
	$(Q)$(LINK) -o $@ $(INPUTS) -lcmocka $(REGISTRY_LIBS) $(CRYPTO_LIBS) $(YAML_LIBS) $(INI_LIBS)

$(TUI_BIN): $(BUILD)/%: $(BUILD)/%.o $(TUI_HELP) $(SAN_OBJ)
	$(call say,LINK)
	$(Q)$(LINK) -o $@ $(INPUTS) -lcmocka -lvterm -lutil

$(BENCH_BIN): $(BUILD)/%: $(BUILD)/%.o $(BENCH_HELP) $(SUPPORT_OBJ) $(SAN_OBJ) $(ARCHIVES)
	$(call say,LINK)
	$(Q)$(LINK) -o $@ $(INPUTS) $(REGISTRY_LIBS) $(CRYPTO_LIBS) -lutil

# What bench_registry loads before libc.
$(SLOW_SYNC): tests/bench/slow_sync.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(filter-out -fPIE,$(ALL_CFLAGS)) -fPIC -shared -o $@ $<

$(START_FLOOR): %: %.o
	$(call say,LINK)
	$(Q)$(LINK) -Wl,--no-as-needed -o $@ $(INPUTS) $(CRYPTO_LIBS) $(CURSES_LIBS) $(YAML_LIBS) $(INI_LIBS)

$(SWEEP): %: %.o $(addprefix $(BUILD)/tests/torture/,gate.o estate.o) $(SAN_OBJ) $(BUILD)/libcore.a
	$(call say,LINK)
	$(Q)$(LINK) -o $@ $(INPUTS) $(CRYPTO_LIBS)

# A server of the HTTP layer alone, which tests/registry/test_http.py drives.
$(HTTP_SERVER): %: %.o $(SAN_OBJ) $(ARCHIVES)
	$(call say,LINK)
	$(Q)$(LINK) -o $@ $(INPUTS) $(REGISTRY_LIBS) $(CRYPTO_LIBS) $(YAML_LIBS) $(INI_LIBS)

# With a main() of its own: `make fuzz` builds it and all that it tests.
$(FUZZ_BIN): %: %.o $(SUPPORT_OBJ) $(SAN_OBJ) $(ARCHIVES)
	$(call say,LINK)
	$(Q)$(LINK) -fsanitize=fuzzer -o $@ $(filter %.o,$^) \
		$(filter-out $(FUZZ_WITHOUT),$(filter %.a,$^)) $(FUZZ_LIBS) \
		$(REGISTRY_LIBS) $(CRYPTO_LIBS) $(YAML_LIBS) $(INI_LIBS)

# The settings belong to the command line.
$(BUILD)/tests/fuzz/fuzz_ini: $(filter-out %/main.o,$(SRC_OBJ)) $(UI_OBJ)
$(BUILD)/tests/fuzz/fuzz_ini: FUZZ_LIBS = $(CLIENT_LIBS) $(CURSES_LIBS)
$(BUILD)/tests/fuzz/fuzz_ini: FUZZ_WITHOUT = %/libregistry.a

# --- for Kafka and Connect: a jar of nothing but our own classes ---

PROVIDER := $(BUILD)/connect-provider
PROVIDER_JAR := $(PROVIDER)/propseal-connect-$(VERSION).jar
PROVIDER_SRC := $(wildcard share/connect-provider/src/propseal/connect/*.java)
PROVIDER_SERVICES := $(wildcard share/connect-provider/src/META-INF/services/*)
# Kafka's and Connect's own API to compile against: a folder of jars, such as
# the libs of an installed Kafka; else what Maven fetches once.
CONNECT_LIBS ?= $(PROVIDER)/libs
MVN_JARS = mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies \
	-DincludeScope=runtime

connect-provider: $(PROVIDER_JAR)

$(PROVIDER)/libs: share/connect-provider/pom.xml
	@mkdir -p $(@D)
	$(Q)rm -rf $@ && $(MVN_JARS) -f $< -DoutputDirectory='$(abspath $@).new' && mv $@.new $@ && touch $@

$(PROVIDER_JAR): $(PROVIDER_SRC) $(PROVIDER_SERVICES) | $(filter $(PROVIDER)/libs,$(CONNECT_LIBS))
	$(call say,JAVA)
	$(Q)rm -rf $(PROVIDER)/classes && mkdir -p $(PROVIDER)/classes
	$(Q)javac -Xlint:all -Werror --release 11 -d $(PROVIDER)/classes -cp '$(CONNECT_LIBS)/*' $(PROVIDER_SRC)
	$(Q)cp -R share/connect-provider/src/META-INF $(PROVIDER)/classes/
	$(Q)printf 'Implementation-Title: propseal\nImplementation-Version: $(VERSION)\n' >$(PROVIDER)/manifest
	$(Q)jar cfm $@ $(PROVIDER)/manifest -C $(PROVIDER)/classes propseal -C $(PROVIDER)/classes META-INF/services

# --- packages ---

deps:
	@share/packaging/deps.sh build
deps-test:
	@share/packaging/deps.sh build test
deps-ci:
	@share/packaging/deps.sh build test ci

# --- running it ---

# On all processors, but where -j says otherwise.
SIDE_BY_SIDE = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2))

demo: deps
	@$(MAKE) --no-print-directory $(SIDE_BY_SIDE) all
	@share/demo/demo.sh $(BUILD)/propseal

# --- tests; each suite is a command of its own, tests/run.sh adds them up ---

RUN = PROPSEAL='$(abspath $(BUILD)/propseal)' tests/run.sh

test: deps-test
	@$(MAKE) --no-print-directory $(SIDE_BY_SIDE) run-tests

# The long suites first, so that none is left over for one processor.
run-tests: all $(UNIT_BIN) $(TUI_BIN) $(HTTP_SERVER)
	@$(RUN) '$(MAKE) -s check-headers BUILD=$(BUILD)' $(SCRIPTS) $(TUI_BIN) $(UNIT_BIN)

unit: $(UNIT_BIN)
	@$(RUN) $(UNIT_BIN)
cli: all
	@$(RUN) $(wildcard tests/cli/test_*.sh)
conformance: all
	@$(RUN) $(wildcard tests/conformance/*.sh)
registry: all $(HTTP_SERVER)
	@$(RUN) $(wildcard tests/registry/test_*.py)
tui: all $(TUI_BIN)
	@$(RUN) $(TUI_BIN)
test-torture: all $(SWEEP)
	@TEST_TIMEOUT=$${TEST_TIMEOUT:-2400} $(RUN) $(patsubst %,'% $(abspath $(BUILD)/propseal)',$(SWEEP) $(TORTURE))

test-valgrind: $(UNIT_BIN)
	@$(RUN) $(patsubst %,'tests/valgrind.sh %',$(UNIT_BIN))

# Each header compiles with nothing before it.
check-headers:
	@CC='$(CC)' tests/headers.sh '$(subst ','\'',$(COMPILE) $(CURSES_CFLAGS))' $(HEADERS)

# With a broker and a Connect worker of Apache's; told and skipped without a JDK,
# or where Maven cannot fetch them and there are no KAFKA_LIBS.
test-kafka: all
	@BUILD='$(BUILD)' tests/kafka/run.sh 3.9.1 || [ $$? -eq 77 ]
test-kafka-full: all
	@BUILD='$(BUILD)' tests/kafka/run.sh --full 3.9.1 4.1.1 || [ $$? -eq 77 ]

# Each fuzz target for FUZZ_SECONDS of processor time; keeps to its own build.
FUZZ_BUILD ?= build-fuzz
fuzz:
	@$(MAKE) --no-print-directory CC=clang SAN=1 WERROR=1 BUILD='$(FUZZ_BUILD)' \
		CFLAGS='-O1 -g -fsanitize=fuzzer-no-link' fuzz-programs
	@FUZZ_SECONDS='$(FUZZ_SECONDS)' tests/fuzz/run.sh '$(FUZZ_BUILD)'

fuzz-programs: $(FUZZ_BIN)

bench: all $(BENCH_BIN) $(START_FLOOR) $(SLOW_SYNC)
	@tests/bench/run.sh $(BUILD)

LINT := $(wildcard tests/lint/*.sh tests/lint/*.py)
lint:
	@$(RUN) $(LINT)

# For people at work: lint and the suites that are quick, in under two minutes
# on two processors.  Left to `make test`: searches at random, whole services,
# terminals, and what waits for its time to come.
CHECK_WITHOUT := tests/lint/cppcheck.sh $(addprefix $(BUILD)/tests/test_,audit_faults auth edits_random \
	json_random kafka_mock keyring log_faults log_kill merge properties_random splice) \
	$(addprefix tests/cli/test_,completion.sh doctor.sh edit.sh exec.sh leaks.sh \
	registry_client.sh registry_serve.sh rotation.sh)
check: all $(UNIT_BIN) $(TUI_BIN)
	@PROPSEAL='$(abspath $(BUILD)/propseal)' tests/check.sh \
		$(filter-out $(CHECK_WITHOUT),$(LINT) $(UNIT_BIN) $(wildcard tests/cli/test_*.sh) $(TUI_BIN))

# --- installing ---

# Where each shell looks for its script.
COMPLETIONS = bash:$(BASHCOMPDIR)/propseal zsh:$(ZSHCOMPDIR)/_propseal \
	fish:$(FISHCOMPDIR)/propseal.fish

install: all
	install -d '$(DESTDIR)$(BINDIR)' '$(DESTDIR)$(DATADIR)'
	install -m 755 $(BUILD)/propseal '$(DESTDIR)$(BINDIR)/propseal'
	install -d '$(DESTDIR)$(LIBEXECDIR)'
	install -m 755 $(BUILD)/propseal-registryd '$(DESTDIR)$(LIBEXECDIR)/propseal-registryd'
	cp -R share/demo share/registry share/ci share/ansible share/kubernetes '$(DESTDIR)$(DATADIR)/'
	install -d '$(DESTDIR)$(DATADIR)/systemd'
	install -m 644 share/systemd/kafka/* '$(DESTDIR)$(DATADIR)/systemd/'
	[ ! -f $(PROVIDER_JAR) ] || install -m 644 $(PROVIDER_JAR) '$(DESTDIR)$(DATADIR)/'
	install -d '$(DESTDIR)$(DOCDIR)'
	install -m 644 SECURITY.md LICENSE share/packaging/licences share/doc/*.md '$(DESTDIR)$(DOCDIR)/'
	set -e; for d in README.md CHANGELOG.md; do \
		sed -E -e 's,\]\(share/(doc|packaging)/,](,g' -e 's,\]\(share/demo/,]($(DATADIR)/demo/,g' \
			-e 's,\[([^]]*)\]\(CONTRIBUTING.md\),\1,g' $$d >"$(BUILD)/$$d"; \
		install -m 644 "$(BUILD)/$$d" '$(DESTDIR)$(DOCDIR)/'; \
	done
	install -d '$(DESTDIR)$(DOCDIR)/pictures'
	install -m 644 share/doc/pictures/*.svg '$(DESTDIR)$(DOCDIR)/pictures/'
	install -d '$(DESTDIR)$(UNITDIR)'
	sed 's|/usr/local/libexec/propseal/|$(LIBEXECDIR)/|' share/systemd/propseal-registry.service \
		>'$(BUILD)/propseal-registry.service'
	install -m 644 '$(BUILD)/propseal-registry.service' '$(DESTDIR)$(UNITDIR)/'
	set -e; for page in man/*.[1-8]; do \
		dir='$(DESTDIR)$(MANDIR)'/man$${page##*.}; \
		install -d "$$dir"; install -m 644 "$$page" "$$dir"; \
	done
	set -e; for c in $(COMPLETIONS); do \
		file='$(DESTDIR)'$${c#*:}; \
		install -d "$${file%/*}"; \
		install -m 644 "share/completion/propseal.$${c%%:*}" "$$file"; \
	done

uninstall:
	rm -f '$(DESTDIR)$(BINDIR)/propseal' '$(DESTDIR)$(LIBEXECDIR)/propseal-registryd'
	rm -f '$(DESTDIR)$(UNITDIR)/propseal-registry.service'
	rm -rf '$(DESTDIR)$(DATADIR)' '$(DESTDIR)$(DOCDIR)'
	for page in man/*.[1-8]; do \
		rm -f '$(DESTDIR)$(MANDIR)'/man$${page##*.}/$${page##*/}; \
	done
	for c in $(COMPLETIONS); do rm -f '$(DESTDIR)'$${c#*:}; done

dist:
	git -c tar.umask=0022 archive --prefix=propseal-$(VERSION)/ -o propseal-$(VERSION).tar.gz HEAD

# The packages below build-package; `make release` tries them in a fresh root, too.
PACKAGE := build-package
package: deps
	@share/packaging/package.sh '$(PACKAGE)' '$(VERSION)'

release: deps
	@share/packaging/release.sh '$(PACKAGE)' '$(VERSION)' $(SUITES)

clean:
	rm -rf build build-san build-clang build-fuzz build-level build-musl \
		build-static $(PACKAGE) propseal-*.tar.gz

help:
	@echo 'make               build build/propseal and build/propseal-registryd'
	@echo 'make demo          install what the build needs, build, open a scratch copy of share/demo'
	@echo 'make test          install what the tests need, build, run every suite'
	@echo 'make package       a .deb, an .rpm and a static tarball, below build-package'
	@echo 'make check         lint and the quick suites, for people at work'
	@echo 'make deps          install what the build needs (deps-test: the tests, deps-ci: .ci/run)'
	@echo 'make unit cli tui conformance registry check-headers lint test-torture test-valgrind   one kind of test'
	@echo 'make test-kafka    the provider and the log in a real Kafka (test-kafka-full: all of it, in each version)'
	@echo 'make fuzz          fuzz each parser for FUZZ_SECONDS (60), from tests/fuzz/corpus'
	@echo 'make bench         figures beside floors measured in the same run'
	@echo 'make connect-provider   the jar for Kafka and Connect (needs a JDK; CONNECT_LIBS= or Maven)'
	@echo 'make install uninstall   with DESTDIR=, PREFIX= (now $(PREFIX))'
	@echo 'make dist clean'
	@echo 'make objects test-objects   compile everything, link nothing'
	@echo 'variables: CC=clang  WERROR=1  V=1 (show commands)  SAN=1 (address and UB sanitizers)'
	@echo '           STATIC=1 (needs no library where it runs)'

always:
.PHONY: all always bench check check-headers clean cli conformance connect-provider demo deps \
	deps-ci deps-test dist fuzz fuzz-programs help install lint objects package release run-tests \
	test test-kafka test-kafka-full test-objects test-torture test-valgrind tui uninstall unit
.SECONDARY:

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
