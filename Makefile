# make            build/ringctl and build/ringctl-sim
# make demo       a ring of seven peers at work, narrated
# make check      every test; the other targets run single kinds of them
# make bench      how fast, beside what this machine can do; ONLY="up exec":
#                 just these, ROUNDS=n: so often, QUICK=1: a glance;
#                 REDIS_SERVER=, ETCD=: programs to hold it against
# make torture    random faults under load on real processes, everything
#                 checked: SECONDS=n SEED=s PEERS=n; also make rolling
#                 ROUNDS=n (restarts), make half (128 of 256 killed)
#
# BUILD=dir       build there instead
# CC=clang        gcc and clang both work
# WERROR=1        a warning is an error
# SAN=1           AddressSanitizer and UndefinedBehaviorSanitizer
# SEEDS=n         how many simulator seeds, from START=seed on
# FUZZ_SECONDS=n  how long each fuzzer runs
# LINT_NODES=n    how far the analyzer follows each function
# BIG=1           the large file of the tests is 4 GiB, not 256 MiB

BUILD ?= build
ifeq ($(origin CC),default)
CC = gcc
endif
CLANG ?= clang
CFLAGS ?= -O2 -g
SEEDS ?= 2000
START ?= 1
FUZZ_SECONDS ?= 600
LINT_NODES ?= 225000
PROVE ?= prove

WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wvla \
	-Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings
SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
ALL_CFLAGS = -std=c11 $(WARNINGS) $(if $(WERROR),-Werror) \
	$(if $(SAN),$(SANITIZE)) -Iinclude -DXXH_INLINE_ALL= $(CFLAGS)
# Bound before the fork, symbols need not be looked up by every peer.
ALL_LDFLAGS = $(if $(SAN),$(SANITIZE)) -Wl,-z,relro,-z,now $(LDFLAGS)
LIBS = -lbsd -lmd -lsodium -lpthread
SYSTEM = -D_GNU_SOURCE

# The core is pure: only what may call the system gets _GNU_SOURCE.
PURE_SRC := $(wildcard src/base/*.c src/wire/*.c src/ring/*.c)
DISK_SRC := $(wildcard src/disk/*.c)
SYSTEM_SRC := $(wildcard src/os/*.c src/peer/*.c src/super/*.c src/cli/*.c)
SIM_SRC := $(wildcard src/sim/*.c)
MAIN_SRC := src/cli/main.c src/sim/main.c
LIB_SRC := $(filter-out $(MAIN_SRC),$(PURE_SRC) $(DISK_SRC) $(SYSTEM_SRC) \
	$(SIM_SRC))
UNIT_SRC := $(wildcard tests/unit/*.c)
FUZZ_SRC := $(filter-out tests/fuzz/replay.c,$(wildcard tests/fuzz/*.c))
HEADERS := $(wildcard include/*/*.h src/*/*.h tests/*/*.h)
TOOL_SRC := $(wildcard tests/integration/*.c)
TORTURE_SRC := $(wildcard tests/torture/*.c)
BENCH_SRC := $(filter-out %/echo_client.c,$(wildcard tests/bench/*.c))
C_SRC := $(PURE_SRC) $(DISK_SRC) $(SYSTEM_SRC) \
	$(SIM_SRC) $(wildcard tests/*/*.c)
MAN := $(wildcard src/*/*.[1-8])

object = $(1:%.c=$(BUILD)/obj/%.o)
PURE_OBJ := $(call object,$(PURE_SRC))
DISK_OBJ := $(call object,$(DISK_SRC))
SYSTEM_OBJ := $(call object,$(SYSTEM_SRC))
SIM_OBJ := $(call object,$(SIM_SRC))
MUTANT_OBJ := $(patsubst %.c,$(BUILD)/mutants/%.o,$(PURE_SRC) \
	$(DISK_SRC) $(SIM_SRC))
LIB_OBJ := $(call object,$(LIB_SRC))
UNITS := $(UNIT_SRC:%.c=$(BUILD)/%)
REPLAYS := $(FUZZ_SRC:%.c=$(BUILD)/%-replay)
FUZZERS := $(FUZZ_SRC:tests/fuzz/%.c=%)
TOOLS := $(TOOL_SRC:%.c=$(BUILD)/%)
TORTURE := $(BUILD)/tests/torture/torture
BENCH := $(BUILD)/tests/bench/bench $(BUILD)/tests/bench/echo_client
CHECKS := $(wildcard tests/house.t tests/fuzz/*.t tests/sim/*.t)
INTEGRATION := $(sort $(wildcard tests/integration/*.t))
TEST_ENV = BUILD=$(abspath $(BUILD)) CC=$(CC) SAN=$(SAN) BIG=$(BIG) \
	SEEDS=$(SEEDS) START=$(START) MAKEFLAGS=
REMAKE = $(MAKE) --no-print-directory

all: $(BUILD)/ringctl $(if $(SIM_SRC),$(BUILD)/ringctl-sim)

objects: $(PURE_OBJ) $(DISK_OBJ) $(SYSTEM_OBJ) $(SIM_OBJ)

$(BUILD)/ringctl: $(PURE_OBJ) $(DISK_OBJ) $(SYSTEM_OBJ)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/ringctl-sim: $(PURE_OBJ) $(DISK_OBJ) $(SIM_OBJ)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

# The same with rules that can be broken: in no other program.
$(BUILD)/ringctl-sim-mutants: $(MUTANT_OBJ)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/mutants/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -DMUTANTS $(if $(filter $<,$(PURE_SRC)),,$(SYSTEM)) \
	    -MMD -MP -c -o $@ $<

# Everything but the main functions, for tests to link what they need.
$(BUILD)/ringctl.a: $(LIB_OBJ)
	rm -f $@ && $(AR) qcs $@ $^

$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(if $(filter $<,$(PURE_SRC)),,$(SYSTEM)) \
	    -MMD -MP -c -o $@ $<

# Objects depend on the flags that made them.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS)' | cmp -s - $@ || \
	    echo '$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS)' >$@

$(BUILD)/tests/unit/%: $(BUILD)/obj/tests/unit/%.o $(BUILD)/ringctl.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(LIBS)

$(BUILD)/tests/integration/%: tests/integration/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(SYSTEM) $(ALL_LDFLAGS) -o $@ $< $(LIBS)

$(BUILD)/tests/integration/%.so: tests/integration/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(SYSTEM) -fPIC -shared -o $@ $<

# jansson first: cli/json.h has functions of the same names.
$(BUILD)/tests/bench/bench: $(call object,$(BENCH_SRC)) $(BUILD)/ringctl.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) -ljansson \
	    $(BUILD)/ringctl.a $(LIBS)

$(TORTURE): $(call object,$(TORTURE_SRC)) $(BUILD)/ringctl.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

# A floor: the C library alone.
$(BUILD)/tests/bench/echo_client: $(BUILD)/obj/tests/bench/echo_client.o
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^

$(BUILD)/tests/fuzz/%-replay: $(BUILD)/obj/tests/fuzz/%.o \
    $(BUILD)/obj/tests/fuzz/replay.o $(BUILD)/ringctl.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

deps: deps-check deps-lint

deps-build deps-demo deps-check deps-lint:
	@tests/deps $(@:deps-%=%)

demo: deps-demo
	+@$(REMAKE) all
	@BUILD=$(BUILD) tests/demo

# One prove over everything, so that its summary is the last word.
check: deps-check
	+@$(REMAKE) all test-programs
	$(TEST_ENV) $(PROVE) $(if $(JOBS),-j $(JOBS)) -e '' $(UNITS) $(CHECKS) \
	    $(INTEGRATION)

test-programs: $(UNITS) $(REPLAYS) $(TOOLS) $(BENCH) $(TORTURE) \
    $(if $(SIM_SRC),$(BUILD)/ringctl-sim-mutants)

unit: test-programs
	$(TEST_ENV) $(PROVE) -e '' $(UNITS)

integration: all test-programs
	$(TEST_ENV) $(PROVE) $(if $(JOBS),-j $(JOBS)) -e '' $(INTEGRATION)

bench: deps-check
	@tests/deps bench || echo "bench: without them; their rows are skipped"
	+@$(REMAKE) all $(TOOLS) $(BENCH)
	$(TEST_ENV) tests/bench/run $(if $(QUICK),--quick) \
	    $(if $(ROUNDS),--rounds $(ROUNDS)) $(ONLY)

# Each ends with its seed; SEED= repeats what it decides at random.
torture: all $(TOOLS) $(TORTURE)
	$(TEST_ENV) tests/torture/run --seconds $(or $(SECONDS),60) \
	    $(if $(SEED),--seed $(SEED)) $(if $(PEERS),--peers $(PEERS))

# Every peer in turn killed and started again, under load.
rolling: all $(TOOLS) $(TORTURE)
	$(TEST_ENV) tests/torture/run --rolling $(or $(ROUNDS),1000) \
	    $(if $(SEED),--seed $(SEED)) $(if $(PEERS),--peers $(PEERS))

# Half of 256 peers killed at once.
half: all $(TOOLS) $(TORTURE)
	$(TEST_ENV) tests/torture/run --half 1 $(if $(SEED),--seed $(SEED))

fuzz-replay: $(REPLAYS)
	$(TEST_ENV) $(PROVE) -e '' tests/fuzz/replay.t

sim: $(BUILD)/ringctl-sim
	$(BUILD)/ringctl-sim --seeds $(SEEDS) --start $(START)
	$(BUILD)/ringctl-sim --disk --seeds $(SEEDS) --start $(START)

# Rules broken on purpose: the simulator must see each.
sim-mutants: $(BUILD)/ringctl-sim-mutants
	$(TEST_ENV) tests/sim/mutants.t

tidy: $(PURE_OBJ)
	tests/tidy --self-test
	tests/tidy $(if $(SAN),,--objects '$(PURE_OBJ)')

format:
	clang-format -i $(C_SRC) $(HEADERS)

format-check:
	clang-format --dry-run -Werror $(C_SRC) $(HEADERS)

man-lint:
	mandoc -Tlint -W warning $(MAN) </dev/null

lint: deps-lint
	+@$(REMAKE) clang-tidy cppcheck

clang-tidy: $(C_SRC:%=$(BUILD)/lint/%)

$(BUILD)/lint/%.c: %.c $(HEADERS) .clang-tidy
	@mkdir -p $(@D)
	clang-tidy --quiet --warnings-as-errors='*' $< -- -std=c11 -Iinclude \
	    -Xclang -analyzer-config -Xclang max-nodes=$(LINT_NODES) \
	    $(if $(filter $<,$(PURE_SRC)),,$(SYSTEM)) 2>&1 >$@.out | \
	    grep -v 'warnings\? \(generated\|treated\)' >&2; \
	    if grep -q . $@.out; then cat $@.out; exit 1; fi
	@touch $@

cppcheck:
	@mkdir -p $(BUILD)/cppcheck
	cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr \
	    --enable=warning,performance,portability \
	    --library=tests/cppcheck.cfg \
	    --suppressions-list=tests/cppcheck.txt \
	    --cppcheck-build-dir=$(BUILD)/cppcheck -Iinclude -D_GNU_SOURCE \
	    src

fuzz: deps-lint
	+@$(REMAKE) $(FUZZERS:%=run-fuzz-%)

# A fuzzer gets the sources again, with coverage, and a corpus of its own to
# which it adds; findings stay in $(BUILD)/fuzz.
$(BUILD)/fuzz/%: tests/fuzz/%.c $(LIB_SRC) $(HEADERS)
	@mkdir -p $(@D)
	$(CLANG) -std=c11 -O1 -g -Iinclude -DXXH_INLINE_ALL= $(SYSTEM) \
	    -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
	    -o $@ $< $(LIB_SRC) $(LIBS)

run-fuzz-%: $(BUILD)/fuzz/%
	@mkdir -p $(BUILD)/fuzz/corpus/$*
	$< -max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=512 -timeout=10 \
	    -print_final_stats=1 -verbosity=0 \
	    -artifact_prefix=$(BUILD)/fuzz/$*- \
	    $(BUILD)/fuzz/corpus/$* $(wildcard tests/fuzz/corpus/$*)

valgrind: deps-lint
	+@$(REMAKE) all test-programs $(BUILD)/tests/integration/pidfds.so
	$(TEST_ENV) $(PROVE) -e '' tests/integration/valgrind

fresh:
	tests/fresh

clean:
	rm -rf $(BUILD)

.PHONY: all objects deps deps-build deps-demo deps-check deps-lint demo check \
	test-programs unit integration bench torture rolling half fuzz-replay sim sim-mutants tidy format \
	format-check man-lint lint clang-tidy cppcheck fuzz valgrind fresh \
	clean FORCE
.SECONDARY:
FORCE:

-include $(shell find $(BUILD)/obj $(BUILD)/mutants -name '*.d' 2>/dev/null)
