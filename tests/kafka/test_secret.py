#!/usr/bin/env -S python3 -B
"""${secret:...} in Java: values of a real registry, by each kind of login."""
import os
import signal
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib_kafka import jvm  # noqa: E402 (it adds the registry's lib)
from lib_kafka.cluster import FixedRegistry  # noqa: E402
from lib_kafka.jvm import values  # noqa: E402
from lib import audit, harness, run, tls  # noqa: E402
from lib.check import check, ok, same  # noqa: E402
from lib.harness import MARKER, PASSWORDS, Registry  # noqa: E402
from lib.rest import V  # noqa: E402

PROVIDER = {'config.providers': 'secret',
            'config.providers.secret.class': 'propseal.connect.SecretRegistryConfigProvider'}
VALUE = MARKER + ' of "conn-a" \\ пароль 🔐\n\twith lines'
_asker = None


def ask(folder, entries, **settings):
    global _asker
    _asker = _asker or jvm.Asker()
    params = {f'config.providers.secret.param.{k.replace("_", ".")}': v
              for k, v in settings.items()}
    return _asker.ask(jvm.properties(os.path.join(folder, 'asked.properties'),
                                     {**PROVIDER, **params, **entries}))


def store(r):
    adm = r.as_('adm')
    if not ok(adm.get(V('conn-a', 'password'))).json():
        ok(adm.post(V('conn-a', 'password'), {'secret': VALUE}))
        ok(adm.post(V('conn-a', 'user'), {'secret': MARKER + 'user'}))
        ok(adm.post(V('other', 'k'), {'secret': MARKER + '-other'}))


def login(r, name='wrk'):
    token = harness.write(os.path.join(r.folder, name), r.tokens[name] + '\n')
    return {'url': f'http://{r.host}', 'token_file': token}


def refused(answer, *named):
    return jvm.refused(answer, [MARKER], *named)


def p01_one_request_for_all_of_a_path(r):
    got = ask(r.folder, {'a': '${secret:conn-a:password}', 'b': 'x${secret:conn-a:user}y',
                         'c': '${secret:conn-a:password}', 'd': '${other:conn-a:user}'}, **login(r))
    same(values(got), {'a': VALUE, 'b': f'x{MARKER}usery', 'c': VALUE,
                       'd': '${other:conn-a:user}'}, 'values')
    lines = [line for line in audit.events(r) if audit.method(line) == 'ResolveConfig'
             and audit.phase(line) == 'intent']
    same(len(lines), 1, 'requests')
    same(audit.principal(lines[0]), 'User:wrk', 'principal')


def p02_the_newest_version_counts(r):
    entry = {'a': '${secret:conn-a:rolled}'}
    for value in ('first', 'second'):
        ok(r.as_('adm').post(V('conn-a', 'rolled'), {'secret': value}))
        same(values(ask(r.folder, entry, **login(r))), {'a': value}, 'value')


def p03_what_may_not_be_read_or_is_not_there(r):
    refused(ask(r.folder, {'a': '${secret:other:k}'}, **login(r)), '403', 'other', 'request ')
    refused(ask(r.folder, {'a': '${secret:conn-a:password}', 'b': '${secret:conn-a:none}'},
                **login(r)), '400', '${secret:conn-a:none}', 'no such secret')
    refused(ask(r.folder, {'a': '${secret:only-a-path}'}, **login(r)), 'names its path')
    bad = login(r)
    harness.write(bad['token_file'], 'not a token')
    refused(ask(r.folder, {'a': '${secret:conn-a:password}'}, **bad), '401')
    refused(ask(r.folder, {'a': '${secret:conn-a:password}'}, **{**bad, 'token_file': '/none'}),
            '/none')


def p04_basic_login(r):
    file = harness.write(os.path.join(r.folder, 'pw'), PASSWORDS['own'] + '\n')
    url = f'http://{r.host}'
    same(values(ask(r.folder, {'a': '${secret:conn-a:user}'}, url=url, user='own',
                    password_file=file)), {'a': MARKER + 'user'}, 'value')
    harness.write(file, 'wrong\n')
    refused(ask(r.folder, {'a': '${secret:conn-a:user}'}, url=url, user='own',
                password_file=file), '401')


def p05_mutual_tls():
    authority = tls.Authority()
    certificate, key = authority.server()
    r = Registry({'ssl.certificate': certificate, 'ssl.key': key,
                  'ssl.client.ca': authority.file, 'ssl.client.auth': 'requested'})
    r.tls = authority.context
    r.start()
    ok(r.as_('adm').post(V('conn-a', 'user'), {'secret': MARKER + 'user'}))
    own, own_key = authority.client('own')
    url, entry = f'https://localhost:{r.address[1]}', {'a': '${secret:conn-a:user}'}
    good = {'url': url, 'ca': authority.file, 'cert': own, 'cert_key': own_key,
            'start_timeout_ms': '0'}
    same(values(ask(r.folder, entry, **good)), {'a': MARKER + 'user'}, 'value')
    refused(ask(r.folder, entry, **{**good, 'ca': tls.Authority('Another').file}), 'certificat')
    refused(ask(r.folder, entry, **{**good, 'cert': '', 'cert_key': ''}), '401')
    refused(ask(r.folder, entry, **{**good, 'cert_key': certificate}), 'no private key')
    stranger = authority.issue('elsewhere')
    r.stop()
    r.config.update({'ssl.certificate': stranger[0], 'ssl.key': stranger[1]})
    r.tls = None
    r.launch()
    r.wait_listening()
    refused(ask(r.folder, entry, **{**good, 'url': f'https://localhost:{r.address[1]}'}),
            'no answer from the registry')


def p06_a_registry_that_starts_later():
    r = FixedRegistry().start()
    port = r.address[1]
    ok(r.as_('adm').post(V('conn-a', 'user'), {'secret': MARKER + 'user'}))
    r.stop()
    settings = {**login(r), 'url': f'http://127.0.0.1:{port}'}
    refused(ask(r.folder, {'a': '${secret:conn-a:user}'}, **settings, start_timeout_ms='0'),
            'no answer from the registry', str(port))
    later = threading.Timer(2, r.start)
    later.start()
    same(values(ask(r.folder, {'a': '${secret:conn-a:user}'}, **settings)),
         {'a': MARKER + 'user'}, 'value')
    later.join()


def p07_a_registry_that_does_not_answer(r):
    os.kill(r.pid(), signal.SIGSTOP)
    try:
        refused(ask(r.folder, {'a': '${secret:conn-a:user}'}, **login(r), timeout_ms='300',
                    start_timeout_ms='500'), 'no answer from the registry', 'imed out')
    finally:
        os.kill(r.pid(), signal.SIGCONT)


def p08_parameters_are_checked(r):
    entry, good = {'a': '${secret:conn-a:user}'}, login(r)
    refused(ask(r.folder, entry, **good, ulr='x'), 'no parameter ulr', 'url')
    refused(ask(r.folder, entry, **good, user='own'), 'two logins')
    refused(ask(r.folder, entry, url=good['url'], user='own'), 'password.file')
    for url in ('http://example.com:8082', 'ftp://localhost', 'nonsense', 'http://u:p@localhost',
                'http://127.evil.example'):
        refused(ask(r.folder, entry, **{**good, 'url': url}), 'url')
    same(values(ask(r.folder, entry, **{**good, 'url': good['url'] + '/'},
                    master_encryption_key='xyz', kafkastore_topic='t')),
         {'a': MARKER + 'user'}, "with Confluent's parameters left in the file")


def p09_logs_tell_and_hold_no_value(r):
    said = _asker.close()
    check(MARKER not in said and 'xyz' not in said, 'no value', said)
    for token in r.tokens.values():
        check(token not in said, 'no token', said)
    for text in ('master.encryption.key is not used here', 'kafkastore.topic is not used here',
                 'asked again for'):
        check(text in said, text, said)


if __name__ == '__main__':
    run.main(globals(), setup=store)
