#ifndef TESTS_TUI_FIXTURE_FILES_H
#define TESTS_TUI_FIXTURE_FILES_H

/* The files of the fixture.  Sealed under the passphrase of fixture.h. */

#define REF(name) "${securepass:/etc/kafka/secrets.properties:" name "}"
#define PROVIDER "io.confluent.kafka.security.config.provider.SecurePassConfigProvider"

#define FILE_BROKER \
	"# Broker 1: this comment must survive\n" \
	"broker.id=1\n" \
	"listeners = SASL_SSL://0.0.0.0:9093\n" \
	"ssl.keystore.location=/etc/kafka/ssl/broker.jks\n" \
	"ssl.keystore.password=keystore-clear-Zp81\n" \
	"ssl.key.password=" REF("broker.properties/ssl.key.password") "\n" \
	"ssl.truststore.password : truststore-clear-\\\n" \
	"    Qm44\n" \
	"config.providers=securepass\n" \
	"config.providers.securepass.class=" PROVIDER "\n"

#define FILE_WORKER \
	"group.id=connect\n" \
	"db.password=worker-clear-Rk27\n" \
	"\344\275\234\350\200\205.password=wide-clear-Ty90\n" \
	"consumer.ssl.key.password=" REF("worker.properties/consumer.ssl.key.password") "\n" \
	"ssl.key.password=" REF("worker.properties/gone.password") "\n" \
	"ssl.keystore.password=" REF("worker.properties/damaged.password") "\n" \
	"vault.token=${vault:secret/kafka:token}\n" \
	"config.providers=securepass,vault\n" \
	"config.providers.securepass.class=" PROVIDER "\n"

#define FILE_CLIENT \
	"bootstrap.servers=localhost:9092\n" \
	"ssl.key.password=client-clear-Jd63\n"

#define FILE_SECRETS \
	"_metadata.master_key.0.salt = ZHVNbXkgc2FsdCBmb3IgdGhlIHNjcmVlbiB0ZXN0cyE=\n" \
	"_metadata.symmetric_key.0.created_at = 2026-01-02 03:04:05 +0000 UTC\n" \
	"_metadata.symmetric_key.0.envvar = CONFLUENT_SECURITY_MASTER_KEY\n" \
	"_metadata.symmetric_key.0.length = 32\n" \
	"_metadata.symmetric_key.0.iterations = 10000\n" \
	"_metadata.symmetric_key.0.salt = c2FsdCBvZiB0aGUgZGF0YSBrZXkgZm9yIHRlc3RzISE=\n" \
	"_metadata.symmetric_key.0.enc = ENC[AES/GCM/NoPadding,data:" \
	    "zj3HcxsoieWQaS5/0LEEGHc3IsCMfZInk8vFr4WTxd6+lU1bo9SIsFM8z+2FFf0feMytQdZyTYYJHeaH," \
	    "iv:bOvqpA7QDrVrj77y,type:str]\n" \
	"broker.properties/ssl.key.password = ENC[AES/GCM/NoPadding,data:" \
	    "KKiwzvaLcMu7ngbar5SbsKtZITQHPiih8E53yhbXiKKltw==,iv:4y3EeggkkyYbzxL/,type:str]\n" \
	"worker.properties/consumer.ssl.key.password = ENC[AES/GCM/NoPadding,data:" \
	    "BwTn9FU3FVqqoYKMEXkgeaULujpnFcqosau0U/qaWc1k2A==,iv:VBAY6k3Y4vuwmk2r,type:str]\n" \
	"worker.properties/damaged.password = ENC[AES/GCM/NoPadding,data:" \
	    "AAAAAFU3FVqqoYKMEXkgeaULujpnFcqosau0U/qaWc1k2A==,iv:VBAY6k3Y4vuwmk2r,type:str]\n" \
	"old.properties/orphan.password = ENC[AES/GCM/NoPadding,data:" \
	    "zX1siS4omgBAyDvpYTy0XRkhFD5MeGQS3X+1ITQAgaHzog==,iv:I8uVFCrRxuhIVbQq,type:str]\n"

#endif /* !TESTS_TUI_FIXTURE_FILES_H */
