#!/usr/bin/env -S python3 -B
"""References in connector configs: the cases F of the registry's contract."""
from lib import run
from lib.check import check, err, ok, same, secret
from lib.harness import MARKER
from lib.rest import V
from lib.run import case

VALUE = MARKER + '-password'


def store(r):
    adm = r.as_('adm')
    if not ok(adm.get(V('conn-a', 'password'))).json():
        ok(adm.post(V('conn-a', 'password'), {'secret': VALUE}))
        ok(adm.post(V('conn-a', 'user.name'), {'secret': 'the user'}))
        ok(adm.post(V('other', 'k'), {'secret': MARKER + '-other'}))


def ask(r, verb, config, connector='conn-a', who='adm'):
    return r.as_(who).post(f'/secret/connectors/{connector}/{verb}', config)


def config(**members):
    return {'name': 'conn-a', **members}


def valid(r, references, **members):
    ok(ask(r, 'validate', config(**members)), {'valid': True, 'references': references})


def resolved(r, expected, **members):
    ok(ask(r, 'resolve', config(**members)), config(**expected))


def refused(r, *named, **members):
    """400 by both, naming each of these once and no value."""
    for verb in ('validate', 'resolve'):
        answer = err(ask(r, verb, config(**members)), 400)
        check(MARKER not in answer.body.decode(), 'no value in the error', answer.body)
        for text in named:
            same(answer.json()['message'].count(text), 1, f'{verb}: occurrences of {text}')
    return answer.json()['message']


def f01_valid_reference(r):
    valid(r, 1, x='${secret:conn-a:password}')
    valid(r, 0, x='plain')
    valid(r, 3, x='${secret:conn-a:password}${secret:conn-a:user.name}',
          y='${secret:conn-a:password}')
    resolved(r, {'x': VALUE}, x='${secret:conn-a:password}')


def f02_reference_to_another_path(r):
    refused(r, '${secret:other:k}', x='${secret:other:k}')
    message = refused(r, 'some.config.key', **{'some.config.key': '${secret:other:k}'})
    check('other' in message, 'the reference in the message', message)


def f03_each_wrong_place_once(r):
    message = refused(r, 'first.place', 'third.place', **{
        'first.place': '${secret:other:k}', 'second.place': '${secret:conn-a:password}',
        'third.place': 'a ${secret:conn-a:password} b ${secret:other:k} c'})
    same(message.count('${secret:other:k}'), 2, 'occurrences of the wrong reference')
    check('second.place' not in message and '${secret:conn-a:password}' not in message,
          'nothing about what is right', message)


def f04_text_around_a_reference(r):
    resolved(r, {'x': f'pre{VALUE}post'}, x='pre${secret:conn-a:password}post')
    resolved(r, {'x': f'$ {{{VALUE}the user}}$', 'y': ' \n', 'z': '$' + VALUE},
             x='$ {${secret:conn-a:password}${secret:conn-a:user.name}}$', y=' \n',
             z='$${secret:conn-a:password}')
    # A provider's name goes from the first "${" to the colon.
    resolved(r, {'x': '${${secret:conn-a:password}'}, x='${${secret:conn-a:password}')


def f05_reference_without_path(r):
    refused(r, '${secret:password}', x='${secret:password}')
    refused(r, '${secret::password}', x='${secret::password}')


def f06_missing_key(r):
    refused(r, '${secret:conn-a:missing}', x='${secret:conn-a:missing}')
    adm = r.as_('adm')
    ok(adm.post(V('conn-a', 'gone'), {'secret': 's'}))
    ok(adm.delete(V('conn-a', 'gone') + '/1'))
    refused(r, '${secret:conn-a:gone}', x='${secret:conn-a:gone}')


@case(config={'validate.missing': 'warn'})
def f06b_missing_key_warns_by_option(r):
    answer = ok(ask(r, 'validate', config(x='${secret:conn-a:missing}'))).json()
    same(answer['valid'], True, 'valid')
    answer = ask(r, 'resolve', config(x='${secret:conn-a:missing}'))
    check(answer.status == 400 or '${secret' not in answer.body.decode(),
          'never the reference as the value', answer.body)
    err(ask(r, 'validate', config(x='${secret:other:k}')), 400)


def f07_other_providers(r):
    valid(r, 0, x='${file:/etc/x:y}', y='${securepass:/a:b/c}', z='${secrets:conn-a:password}',
          w='${Secret:conn-a:password}', v='${x}', u='${:a:b}')
    given = {'x': '${file:/etc/x:y}', 'y': '${env:HOME}', 'z': '${a}${}'}
    resolved(r, given, **given)


def f08_one_pass(r):
    ok(r.as_('adm').post(V('conn-a', 'nested'), {'secret': '${secret:other:k}'}))
    resolved(r, {'x': '${secret:other:k}'}, x='${secret:conn-a:nested}')
    ok(r.as_('adm').post(V('conn-a', 'half'), {'secret': '${secret:conn-a:'}))
    resolved(r, {'x': '${secret:conn-a:password}'}, x='${secret:conn-a:half}password}')


def f09_colon_in_the_key(r):
    refused(r, '${secret:conn-a:a:b}', x='${secret:conn-a:a:b}')
    for key in ('1a', 'a b', '', '*'):
        refused(r, x='${secret:conn-a:' + key + '}')


def f10_name_of_the_config(r):
    for body in ({'x': '${secret:conn-a:password}'}, {'name': 'conn-b'}, {'name': None},
                 {'name': ['conn-a']}, {'name': 'conn-a '}, {'name': ''}, {'name': 5}):
        for verb in ('validate', 'resolve'):
            err(ask(r, verb, body), 400)
    for body in ([], 'x', 5, None):
        for verb in ('validate', 'resolve'):
            err(ask(r, verb, body) if body is not None else ask(r, verb, b''), 400, 422)
    err(ask(r, 'validate', b'{"name":'), 400)
    err(ask(r, 'validate', b'{"name":"conn-a","x":"a","x":"b"}'), 400, 422)


def f11_case_counts(r):
    refused(r, '${secret:Conn-A:password}', x='${secret:Conn-A:password}')
    refused(r, x='${secret:conn-a :password}')
    refused(r, x='${secret: conn-a:password}')
    err(ask(r, 'validate', config(), 'Conn-A'), 400)


def f12_no_error_shows_a_value(r):
    for members in ({'x': '${secret:conn-a:password}', 'y': '${secret:other:k}'},
                    {'x': '${secret:conn-a:password}${secret:conn-a:missing}'},
                    {'${secret:conn-a:password}': '${secret:other:k}'},
                    {'x': '${secret:conn-a:password}', 'name': 'other'}):
        for verb in ('validate', 'resolve'):
            answer = err(ask(r, verb, config(**members)), 400)
            check(MARKER not in answer.body.decode(), 'no value', answer.body)


def f13_many_references(r):
    message = refused(r, x='${secret:o:k}' * 10000)
    listed = message.count('${secret:o:k}')
    check(1 <= listed <= 50, '1 to 50 errors listed', listed)
    message = refused(r, **{f'key.{i}': '${secret:o:k}' for i in range(3000)})
    listed = message.count('${secret:o:k}')
    check(1 <= listed <= 50, '1 to 50 errors listed', listed)
    valid(r, 10000, x='${secret:conn-a:password}' * 10000)


def f14_unclosed(r):
    given = {'x': '${secret:conn-a:password', 'y': '$secret:conn-a:password}', 'z': '${secret',
             'w': '{secret:conn-a:password}'}
    valid(r, 0, **given)
    resolved(r, given, **given)


def f15_connector_whose_name_no_reference_can_hold(r):
    for name in ('a:b', 'a}b'):
        for body in ({'name': name, 'x': '${secret:' + name + ':k}'},):
            answer = r.as_('adm').post('/secret/connectors/' + name.replace(':', '%3A').replace(
                '}', '%7D') + '/validate', body)
            err(answer, 400, 422)


def f16_the_newest_live_version_counts(r):
    adm = r.as_('adm')
    path = V('conn-a', 'f16')
    for value in ('one', 'two', 'three'):
        ok(adm.post(path, {'secret': value}))
    resolved(r, {'x': 'three'}, x='${secret:conn-a:f16}')
    ok(adm.delete(path + '/3'))
    resolved(r, {'x': 'two'}, x='${secret:conn-a:f16}')


def f17_worker_validates_and_resolves(r):
    answer = ask(r, 'validate', config(x='${secret:conn-a:password}'), who='wrk')
    ok(answer, {'valid': True, 'references': 1})
    ok(ask(r, 'resolve', config(x='${secret:conn-a:password}'), who='wrk'), config(x=VALUE))
    # A reader may not have a value checked out, but its reference checked.
    answer = ask(r, 'validate', config(x='${secret:conn-a:password}'), who='dr')
    check(answer.status in (200, 400, 403), '200, 400 or 403', answer.status)
    err(ask(r, 'resolve', config(x='${secret:conn-a:password}'), who='dr'), 403)


@case(config={'config.provider.name': 'vault'})
def f18_provider_of_another_name(r):
    resolved(r, {'x': VALUE, 'y': '${secret:other:k}'}, x='${vault:conn-a:password}',
             y='${secret:other:k}')


def f19_values_that_are_not_text(r):
    body = config(a=1, b=True, c=None, x='${secret:conn-a:password}')
    answer = ask(r, 'resolve', body)
    if answer.status == 200:
        same(answer.json(), {**body, 'x': VALUE}, 'body')
    else:
        err(answer, 400, 422)


def f20_value_is_not_stored_again(r):
    before = ok(r.as_('adm').get(V('conn-a', 'password'))).json()
    resolved(r, {'x': VALUE}, x='${secret:conn-a:password}')
    same(ok(r.as_('adm').get(V('conn-a', 'password'))).json(), before, 'versions')
    secret(r.as_('adm').get(V('conn-a', 'password') + '/1'), 'conn-a', 'password', 1, VALUE)


if __name__ == '__main__':
    run.main(globals(), setup=store)
