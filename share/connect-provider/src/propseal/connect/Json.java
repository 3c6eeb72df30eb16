package propseal.connect;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * JSON as RFC 8259 has it, and stricter: no member twice, at most 64 levels.
 * An object is a Map, an array a List, a string a String; numbers, true, false
 * and null are Words.
 */
final class Json {
    /** What is neither string, array nor object, as it was written. */
    static final class Word {
        final String text;

        Word(String text) {
            this.text = text;
        }
    }

    /** Never says what stands in the text, which may be a secret. */
    static final class Bad extends Exception {
        private static final long serialVersionUID = 1;

        Bad(String what, int at) {
            super(what + " at character " + (at + 1));
        }
    }

    private static final int DEPTH = 64;

    private final String text;
    private int at;

    private Json(String text) {
        this.text = text;
    }

    static Object parse(String text) throws Bad {
        Json j = new Json(text);
        Object v = j.value(0);
        j.blanks();
        if (j.at < text.length())
            throw j.bad("something behind the JSON");
        return v;
    }

    @SuppressWarnings("unchecked")
    static Map<String, Object> object(String text) throws Bad {
        Object v = parse(text);
        if (!(v instanceof Map))
            throw new Bad("this is no JSON object", 0);
        return (Map<String, Object>) v;
    }

    static String quote(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < ' ' || c == '"' || c == '\\' || Character.isSurrogate(c))
                out.append(String.format("\\u%04x", (int) c));
            else
                out.append(c);
        }
        return out.append('"').toString();
    }

    private Bad bad(String what) {
        return new Bad(what, at);
    }

    private void blanks() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0)
            at++;
    }

    private boolean take(char c) {
        blanks();
        if (at < text.length() && text.charAt(at) == c) {
            at++;
            return true;
        }
        return false;
    }

    private Object value(int depth) throws Bad {
        if (depth > DEPTH)
            throw bad("more than 64 levels");
        if (take('{'))
            return members(depth);
        if (take('['))
            return elements(depth);
        if (take('"'))
            return string();
        return word();
    }

    private Map<String, Object> members(int depth) throws Bad {
        Map<String, Object> out = new LinkedHashMap<>();
        if (take('}'))
            return out;
        do {
            if (!take('"'))
                throw bad("no member's name");
            String name = string();
            if (!take(':'))
                throw bad("no colon");
            if (out.containsKey(name))
                throw bad("a member that was there before");
            out.put(name, value(depth + 1));
        } while (take(','));
        if (!take('}'))
            throw bad("an object without end");
        return out;
    }

    private List<Object> elements(int depth) throws Bad {
        List<Object> out = new ArrayList<>();
        if (take(']'))
            return out;
        do {
            out.add(value(depth + 1));
        } while (take(','));
        if (!take(']'))
            throw bad("an array without end");
        return out;
    }

    private String string() throws Bad {
        StringBuilder out = new StringBuilder();
        while (at < text.length()) {
            char c = text.charAt(at++);
            if (c == '"')
                return out.toString();
            if (c < ' ')
                throw bad("a control character");
            out.append(c == '\\' ? escape() : c);
        }
        throw bad("a string without end");
    }

    private char escape() throws Bad {
        int known = at < text.length() ? "\"\\/bfnrt".indexOf(text.charAt(at)) : -1;
        if (known >= 0) {
            at++;
            return "\"\\/\b\f\n\r\t".charAt(known);
        }
        if (!text.startsWith("u", at) || !hex(at + 1))
            throw bad("an unknown escape");
        at += 5;
        return (char) Integer.parseInt(text.substring(at - 4, at), 16);
    }

    private boolean hex(int from) {
        for (int i = from; i < from + 4; i++) {
            if (i >= text.length() || "0123456789abcdefABCDEF".indexOf(text.charAt(i)) < 0)
                return false;
        }
        return true;
    }

    private Word word() throws Bad {
        int start = at;
        while (at < text.length() && ",]} \t\r\n".indexOf(text.charAt(at)) < 0)
            at++;
        String word = text.substring(start, at);
        if (!word.matches("true|false|null|-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][-+]?[0-9]+)?"))
            throw bad("no value");
        return new Word(word);
    }
}
