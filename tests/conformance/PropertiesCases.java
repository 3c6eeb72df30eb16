import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.util.Properties;

/**
 * Fills in the expected columns of tests/unit/properties_cases.tsv:
 *
 *     java tests/conformance/PropertiesCases.java <properties_cases.tsv >new.tsv
 *
 * Only the first column of each line is read.  The characters U+F700 to
 * U+F7FF stand in for bytes that are not UTF-8, so no case may use them.
 */
public class PropertiesCases {
	static final char STAND_IN = 0xF700;

	static byte[] unescape(String s) {
		ByteArrayOutputStream out = new ByteArrayOutputStream();
		for (int i = 0; i < s.length(); i++) {
			char c = s.charAt(i);
			if (c != '\\') {
				out.write(c);
				continue;
			}
			c = s.charAt(++i);
			if (c == 'x') {
				out.write(Integer.parseInt(s.substring(i + 1, i + 3), 16));
				i += 2;
			} else {
				out.write(c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c);
			}
		}
		return out.toByteArray();
	}

	static String escape(byte[] bytes) {
		StringBuilder out = new StringBuilder();
		for (int i = 0; i < bytes.length; i++) {
			int c = bytes[i] & 0xff;
			boolean edge = i == 0 || i == bytes.length - 1;
			if (c == '\n')
				out.append("\\n");
			else if (c == '\r')
				out.append("\\r");
			else if (c == '\t')
				out.append("\\t");
			else if (c == '\\')
				out.append("\\\\");
			else if (c < ' ' || c > '~' || (c == ' ' && edge) || (c == '#' && i == 0))
				out.append(String.format("\\x%02x", c));
			else
				out.append((char)c);
		}
		return out.toString();
	}

	static String decode(byte[] bytes) {
		CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
		ByteBuffer in = ByteBuffer.wrap(bytes);
		CharBuffer out = CharBuffer.allocate(bytes.length + 1);
		CoderResult result = decoder.decode(in, out, true);
		while (!result.isUnderflow()) {
			for (int i = 0; i < result.length(); i++)
				out.put((char)(STAND_IN + (in.get() & 0xff)));
			result = decoder.decode(in, out, true);
		}
		return out.flip().toString();
	}

	/* Not String.getBytes, which has no form for a lone surrogate. */
	static byte[] encode(String s) {
		ByteArrayOutputStream out = new ByteArrayOutputStream();
		s.codePoints().forEach(c -> {
			if (c >= STAND_IN && c < STAND_IN + 256) {
				out.write(c - STAND_IN);
			} else if (c < 0x80) {
				out.write(c);
			} else {
				int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
				out.write((0xff80 >> more & 0xff) | c >> 6 * more);
				while (more-- > 0)
					out.write(0x80 | (c >> 6 * more & 0x3f));
			}
		});
		return out.toByteArray();
	}

	public static void main(String[] args) throws Exception {
		BufferedReader in = new BufferedReader(
			new InputStreamReader(System.in, StandardCharsets.US_ASCII));
		PrintStream out = new PrintStream(System.out, false, "US-ASCII");
		String line;
		while ((line = in.readLine()) != null) {
			if (line.startsWith("#")) {
				out.print(line + "\n");
				continue;
			}
			byte[] file = unescape(line.substring(0, line.indexOf('\t')));
			StringBuilder row = new StringBuilder();
			String reading = "ok";
			Properties p = new Properties() {
				@Override
				public synchronized Object put(Object key, Object value) {
					row.append('\t').append(escape(encode((String)key)));
					row.append('\t').append(escape(encode((String)value)));
					return null;
				}
			};
			try {
				p.load(new StringReader(decode(file)));
			} catch (IllegalArgumentException e) {
				reading = "bad";
			}
			out.print(escape(file) + "\t" + reading + row + "\n");
		}
		out.flush();
	}
}
